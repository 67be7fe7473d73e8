//! The expansion of `#[derive(Inputs)]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{DeriveInput, Field, LitInt};

/// Implements `Inputs` for the structure.
pub(crate) fn expand(item: &DeriveInput) -> syn::Result<TokenStream> {
    let structure = &item.ident;
    let fields = crate::named_fields(item)?;
    let schemas = fields.iter().map(schema).collect::<syn::Result<Vec<_>>>()?;
    let names: Vec<_> = fields.iter().filter_map(|field| field.ident.as_ref()).collect();
    let texts: Vec<String> = names.iter().map(|name| name.to_string()).collect();
    let secrets = fields.iter().filter(|field| is_secret(field)).map(|field| {
        let (name, span) = (&field.ident, syn::spanned::Spanned::span(&field.ty));
        quote_spanned! {span=>
            const _: fn(&#structure) = |inputs| {
                fn is_secret<T: ::lsinfra_engine::secret::SecretProperty>(_: &::lsinfra_engine::Input<T>) {}
                is_secret(&inputs.#name);
            };
        }
    });
    Ok(quote! {
        #(#secrets)*

        impl ::lsinfra_engine::Inputs for #structure {
            const FIELDS: &'static [::lsinfra_engine::schema::InputField] = &[#(#schemas),*];

            fn expressions(&self) -> Vec<(&'static str, ::lsinfra_engine::Expression)> {
                let mut expressions = Vec::new();
                #(if let Some(expression) = self.#names.expression() {
                    expressions.push((#texts, expression.clone()));
                })*
                expressions
            }

            fn from_properties(
                properties: &::lsinfra_engine::Properties,
            ) -> Result<Self, ::lsinfra_engine::InputProblem> {
                Ok(Self {
                    #(#names: ::lsinfra_engine::Input::from_value(properties.get(#texts)).map_err(|error| {
                        ::lsinfra_engine::InputProblem { path: #texts.to_owned(), message: error.to_string() }
                    })?,)*
                })
            }
        }
    })
}

/// Whether a field is marked as a secret: then its type must keep it one.
fn is_secret(field: &Field) -> bool {
    field.attrs.iter().filter(|attribute| attribute.path().is_ident("input")).any(|attribute| {
        let mut found = false;
        // What cannot be parsed is reported by `schema`.
        let _ = attribute.parse_nested_meta(|meta| {
            found |= meta.path.is_ident("secret");
            if meta.input.peek(syn::Token![=]) {
                meta.value()?.parse::<LitInt>()?;
            }
            Ok(())
        });
        found
    })
}

/// The `InputField` of one field.
fn schema(field: &Field) -> syn::Result<TokenStream> {
    let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut changes = Vec::new();
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("input")) {
        attribute.parse_nested_meta(|meta| {
            let path = &meta.path;
            if path.is_ident("required") {
                changes.push(quote!(field.required = true;));
            } else if path.is_ident("replace") {
                changes.push(quote!(field.replace = true;));
            } else if path.is_ident("restorable") {
                changes.push(quote!(field.restorable = true;));
            } else if path.is_ident("secret") {
                // Its type makes it one: see `expand`.
            } else if path.is_ident("computed") {
                changes.push(quote!(field.computed = true;));
            } else if path.is_ident("set") {
                changes.push(quote!(field.compare = ::lsinfra_engine::schema::Compare::Set;));
            } else if path.is_ident("case_insensitive") {
                changes.push(quote!(field.compare = ::lsinfra_engine::schema::Compare::CaseInsensitive;));
            } else if path.is_ident("name") {
                let limit: LitInt = meta.value()?.parse()?;
                changes.push(quote!(field.name_limit_characters = Some(#limit);));
            } else {
                return Err(meta.error(
                    "expected required, replace, restorable, secret, computed, set, case_insensitive or name = LIMIT",
                ));
            }
            Ok(())
        })?;
    }
    if changes.is_empty() {
        return Ok(quote!(::lsinfra_engine::schema::InputField::new(#name)));
    }
    Ok(quote!({
        let mut field = ::lsinfra_engine::schema::InputField::new(#name);
        #(#changes)*
        field
    }))
}

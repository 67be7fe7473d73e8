//! The expansion of `#[derive(Outputs)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Field};

/// Implements `Outputs` for the structure.
pub(crate) fn expand(item: &DeriveInput) -> syn::Result<TokenStream> {
    let structure = &item.ident;
    let fields = crate::named_fields(item)?;
    let schemas = fields.iter().map(schema).collect::<syn::Result<Vec<_>>>()?;
    let names: Vec<_> = fields.iter().filter_map(|field| field.ident.as_ref()).collect();
    let texts: Vec<String> = names.iter().map(|name| name.to_string()).collect();
    Ok(quote! {
        impl ::lsinfra_engine::Outputs for #structure {
            const FIELDS: &'static [::lsinfra_engine::schema::OutputField] = &[#(#schemas),*];

            fn references(urn: &::lsinfra_engine::Urn) -> Self {
                Self { #(#names: ::lsinfra_engine::Output::reference(urn.clone(), #texts),)* }
            }

            fn unknown() -> Self {
                Self { #(#names: ::lsinfra_engine::Output::unknown(),)* }
            }

            fn properties(&self) -> ::lsinfra_engine::Properties {
                ::lsinfra_engine::Properties::from([#((
                    #texts.to_owned(),
                    self.#names.value().cloned().unwrap_or(::lsinfra_engine::Value::Unknown),
                ),)*])
            }
        }
    })
}

/// The `OutputField` of one field.
fn schema(field: &Field) -> syn::Result<TokenStream> {
    let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut volatile = false;
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("output")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("volatile") {
                volatile = true;
                Ok(())
            } else {
                Err(meta.error("expected volatile"))
            }
        })?;
    }
    if volatile {
        Ok(quote!(::lsinfra_engine::schema::OutputField {
            volatile: true,
            ..::lsinfra_engine::schema::OutputField::new(#name)
        }))
    } else {
        Ok(quote!(::lsinfra_engine::schema::OutputField::new(#name)))
    }
}

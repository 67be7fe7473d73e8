//! Derive macros of the engine: `Inputs`, `Outputs` and `Property`.
//!
//! They turn a plain structure into what the engine needs to know about it; they hold no behaviour
//! of their own.

mod inputs;
mod outputs;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Derives `lsinfra_engine::Inputs` for a structure whose fields are all `Input<…>`.
///
/// Field attributes, all in `#[input(…)]`:
/// - `required`: it must be given;
/// - `replace`: a change needs a new object;
/// - `restorable`: although it is `replace`, what someone else took away is put back in place;
/// - `secret`: compared by digest and never shown; its type must be `Input<Secret>`;
/// - `set`: a list in which order and repetition do not matter;
/// - `case_insensitive`: text in which case does not matter;
/// - `computed`: the cloud chooses a value when none is given, and keeps it;
/// - `name = 64`: the physical name, at most that many characters; a replacement's gets a suffix.
#[proc_macro_derive(Inputs, attributes(input))]
pub fn derive_inputs(item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    inputs::expand(&item).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Derives `lsinfra_engine::Outputs` for a structure whose fields are all `Output<…>`.
///
/// `#[output(volatile)]` marks an output that an update in place may change.
#[proc_macro_derive(Outputs, attributes(output))]
pub fn derive_outputs(item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    outputs::expand(&item).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Derives `lsinfra_engine::Property` for a type that serde can write and read.
#[proc_macro_derive(Property)]
pub fn derive_property(item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    let name = &item.ident;
    quote::quote!(::lsinfra_engine::property_through_serde!(#name);).into()
}

/// The named fields of a structure.
fn named_fields(item: &DeriveInput) -> syn::Result<&syn::punctuated::Punctuated<syn::Field, syn::Token![,]>> {
    match &item.data {
        syn::Data::Struct(syn::DataStruct { fields: syn::Fields::Named(fields), .. }) => Ok(&fields.named),
        _ => Err(syn::Error::new_spanned(&item.ident, "expected a structure with named fields")),
    }
}

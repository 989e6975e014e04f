//! Lists whose elements have a conversion of the user's: each element is converted on its way out, and on its way in.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::Emitter;
use super::steps::Step;
use super::types::{owned_type, plain_type};
use crate::plan::{Slot, Ty};

impl Emitter {
    /// Writes such a list: makes a list of plain values first.
    pub(crate) fn build_elements(
        &self,
        slot: &Slot,
        builder: &Ident,
        value: &TokenStream,
    ) -> Vec<Step> {
        let convert = self.to_plain(&slot.ty, &slot.label, value);
        let plain = Slot {
            ty: plain(&slot.ty),
            ..slot.clone()
        };
        let mut steps = vec![Step::Block(quote!(let plain = #convert?;), true)];
        steps.extend(self.build_value(&plain, builder, &quote!(&plain)));
        steps
    }

    /// Reads such a list: reads the plain values first.
    pub(crate) fn read_elements(&self, slot: &Slot, getter: &TokenStream) -> TokenStream {
        let (plain, label) = (owned_type(&plain(&slot.ty)), &slot.label);
        let read = quote!(&mp::read_with::<#plain, _>(#getter, #label, objects)?);
        self.converted(&slot.ty, label, &read)
    }

    fn to_plain(&self, ty: &Ty, label: &str, value: &TokenStream) -> TokenStream {
        match ty {
            Ty::List(element) | Ty::Set(_, element) => {
                let convert = self.to_plain(element, label, &quote!(value));
                quote!(mp::build_each(#value, |value| #convert))
            }
            converted => {
                let (local, plain) = (&self.local, plain_type(&plain(converted)));
                quote!(mp::build_element::<#plain, #local, _>(#value, #label))
            }
        }
    }

    fn converted(&self, ty: &Ty, label: &str, plain: &TokenStream) -> TokenStream {
        match ty {
            Ty::List(element) | Ty::Set(_, element) => {
                let convert = self.converted(element, label, &quote!(plain));
                quote!(mp::read_each(#plain, |plain| #convert))
            }
            converted => {
                let (local, plain_ty) = (&self.local, plain_type(&self::plain(converted)));
                quote!(mp::read_field::<#plain_ty, #local, _>(#plain, #label))
            }
        }
    }
}

/// The type without its conversions.
fn plain(ty: &Ty) -> Ty {
    match ty {
        Ty::Extern(_, plain) => (**plain).clone(),
        Ty::List(element) | Ty::Set(_, element) => Ty::List(Box::new(plain(element))),
        other => other.clone(),
    }
}

//! The statements that fill in a message, put together as shortly as they allow.

use proc_macro2::TokenStream;
use quote::quote;

/// One statement.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// An expression of type `()`.
    Plain(TokenStream),
    /// An expression of type `Result<()>`.
    Result(TokenStream),
    /// Statements; the flag says whether there is a `?` in them.
    Block(TokenStream, bool),
}

/// Whether one of the statements can fail.
pub(crate) fn can_fail(steps: &[Step]) -> bool {
    steps.iter().any(|step| matches!(step, Step::Result(_) | Step::Block(_, true)))
}

/// The statements, with `?` where they can fail.
pub(crate) fn statements(steps: &[Step]) -> TokenStream {
    let steps = steps.iter().map(|step| match step {
        Step::Plain(expression) => quote!(#expression;),
        Step::Result(expression) => quote!(#expression?;),
        Step::Block(block, _) => block.clone(),
    });
    quote!(#(#steps)*)
}

/// The body of a closure that may end with nothing or with a `Result<()>`.
pub(crate) fn closure_body(steps: &[Step]) -> TokenStream {
    match steps {
        [Step::Plain(expression) | Step::Result(expression)] => expression.clone(),
        _ if can_fail(steps) => {
            let body = function_body(steps);
            quote!({ #body })
        }
        _ => {
            let body = statements(steps);
            quote!({ #body })
        }
    }
}

/// The body of a function that ends with a `Result<()>`.
pub(crate) fn function_body(steps: &[Step]) -> TokenStream {
    match steps {
        [first @ .., Step::Result(last)] => {
            let first = statements(first);
            quote!(#first #last)
        }
        _ => {
            let all = statements(steps);
            quote!(#all Ok(()))
        }
    }
}

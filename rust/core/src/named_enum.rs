//! Enums whose variants have names: what metrics and listings call a reason, a kind or a state.

/// Defines an enum without fields. `name` returns a variant's text, `ALL` lists the variants in
/// their order, and `index` is a variant's position in it, for an array of counters.
///
/// ```
/// bgpreflector_core::named_enum! {
///     /// Where to.
///     #[derive(Clone, Copy, Debug, PartialEq)]
///     pub enum Way {
///         /// North.
///         North = "north",
///         /// South.
///         South = "south",
///     }
/// }
/// assert_eq!(Way::ALL.map(Way::name), ["north", "south"]);
/// assert_eq!(Way::ALL.map(Way::index), [0, 1]);
/// ```
#[macro_export]
macro_rules! named_enum {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $enum:ident {
            $($(#[$of_variant:meta])* $variant:ident = $name:literal,)+
        }
    ) => {
        $(#[$attribute])*
        $visibility enum $enum {
            $($(#[$of_variant])* $variant,)+
        }

        impl $enum {
            /// All variants, in the order of [`Self::index`].
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// The name in metrics and listings.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The index in [`Self::ALL`].
            #[must_use]
            pub const fn index(self) -> usize {
                self as usize
            }
        }
    };
}

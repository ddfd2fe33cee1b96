// Package market is one of the two services of `munjigi demo`: a marketplace with shops, products, orders, customers,
// advertising and points. Its document is annotated with x-admin, as that of a team which wants its back office just so.
//
// It checks everything itself: who may do what (the token's roles), in which state of a record, within which limits. What
// its document says of these is for show. The rows are made up around the day on which it starts, and forgotten when it
// ends. Nothing outside the demo may import it.
package market

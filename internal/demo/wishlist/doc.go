// Package wishlist is one of the two services of `munjigi demo`: gift lists, their gifts, and the people who chip in. Its
// document is plain, with the names that a framework makes up and no annotation, as that of a team which has never heard
// of Munjigi.
//
// It checks everything itself. The rows are made up around the day on which it starts, and forgotten when it ends. Nothing
// outside the demo may import it.
package wishlist

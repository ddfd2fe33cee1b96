// Package stock is what the demo's market is full of: its rows, and how they are made up around a day. The same day gives
// the same rows. It must not know how the market answers.
package stock

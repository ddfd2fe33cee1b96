package market

import "github.com/munjigi/munjigi/internal/demo/market/stock"

// The rows are those that the stock is made of.
type (
	shop     = stock.Shop
	product  = stock.Product
	order    = stock.Order
	item     = stock.Item
	customer = stock.Customer
	adGroup  = stock.AdGroup
	creative = stock.Creative
	points   = stock.Points
	settings = stock.Settings
)

const currency = stock.Currency

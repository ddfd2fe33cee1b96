// Package catalog knows the services that the console shows: it fetches the OpenAPI document of each, in both languages,
// keeps the last good one, and tells what of it waits for an administrator's grant. A service that is down, slow or
// talks nonsense costs its own screens their freshness and nobody else anything.
//
// It calls no operation of a service: that is package gateway's. What a document means is package backoffice's.
package catalog

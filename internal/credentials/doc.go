// Package credentials asks a service of the company, through its private API, whether a login and its password are
// right, or whether a token of its old sign-in still holds, and whose account that is. The service keeps the accounts;
// the sessions are ours.
//
// It believes nothing but one narrow answer: whatever else comes back, or does not come back, is no verdict. It stores
// nothing, counts no guesses, and lets neither a password nor a legacy token into an error.
package credentials

package account

import (
	"slices"
	"strings"
)

// Rules say who has which role: role → matches. A match is an e-mail ("boss@example.com"), "domain:example.com", or
// "group:platform".
type Rules map[string][]string

// RolesOf is every role that the rules give to somebody, sorted. email must be verified and in lower case, or empty;
// E-mails and domains match in any case; groups exactly, because providers tell them apart by case.
func RolesOf(rules Rules, email string, groups []string) []string {
	roles := []string{}
	for role, matches := range rules {
		if slices.ContainsFunc(matches, func(match string) bool { return matchesPerson(match, email, groups) }) {
			roles = append(roles, role)
		}
	}
	slices.Sort(roles)
	return roles
}

func matchesPerson(match, email string, groups []string) bool {
	if group, ok := strings.CutPrefix(match, "group:"); ok {
		return slices.Contains(groups, group)
	}
	if domain, ok := strings.CutPrefix(match, "domain:"); ok {
		return email != "" && strings.EqualFold(Domain(email), domain)
	}
	return email != "" && strings.EqualFold(match, email)
}

// Domain is what follows the last @ of an e-mail; "" without one.
func Domain(email string) string {
	at := strings.LastIndexByte(email, '@')
	if at < 0 {
		return ""
	}
	return email[at+1:]
}

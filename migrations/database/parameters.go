package database

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// connecting are the parameters of a URL that say how to connect, as pgx knows them. What else is
// there it hands to the server, as a setting of the session.
var connecting = []string{
	"host", "port", "user", "password", "database", "dbname", "passfile", "service", "servicefile", "connect_timeout",
	"ssl", "sslmode", "sslcert", "sslcertmode", "sslkey", "sslpassword", "sslrootcert", "sslsni", "sslnegotiation", "channel_binding", "require_auth",
	"krbspn", "krbsrvname", "target_session_attrs", "min_protocol_version", "max_protocol_version",
	"default_query_exec_mode", "statement_cache_capacity", "description_cache_capacity",
}

// sessions are the server's settings that people give in URLs.
var sessions = []string{
	"application_name", "client_encoding", "DateStyle", "IntervalStyle", "TimeZone", "lc_messages", "options", "role", "search_path", "work_mem",
	"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout", "transaction_timeout",
	"tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout", "client_connection_check_interval",
}

// foreign are other clients' own: libpq's and its relatives', of pools that we size ourselves, and
// Prisma's. The server would refuse them, and without them nothing is less safe.
var foreign = []string{
	"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "fallback_application_name", "gssencmode", "gsslib", "gssdelegation",
	"sslcompression", "pool_max_conns", "pool_min_conns", "pool_min_idle_conns", "pool_max_conn_lifetime", "pool_max_conn_lifetime_jitter",
	"pool_max_conn_idle_time", "pool_health_check_period", "pgbouncer", "connection_limit", "pool_timeout",
}

// unsupported are libpq's, too: who gives them relies on them.
var unsupported = map[string]string{
	"hostaddr":                 "give the address as the host",
	"load_balance_hosts":       "hosts are tried in their order",
	"requirepeer":              "it is not checked here",
	"sslcrl":                   "revoked certificates are not looked for",
	"sslcrldir":                "revoked certificates are not looked for",
	"ssl_min_protocol_version": "TLS 1.2 is the least",
	"ssl_max_protocol_version": "the newest that both know is taken",
	"schema":                   "our tables are in the schema public",
	"currentSchema":            "our tables are in the schema public",
}

// Parameters are the names that a URL may give.
func Parameters() []string { return slices.Concat(connecting, sessions, foreign) }

// UnknownParameters are the names in a URL that aren't among them. The server may know them.
func UnknownParameters(text string) (names []string) {
	_, query := cutQuery(text)
	for pair := range strings.SplitSeq(query, "&") {
		name := parameterName(pair)
		if name == "" || strings.Contains(name, ".") || slices.Contains(names, name) || unsupported[name] != "" {
			continue
		}
		isSession := slices.ContainsFunc(sessions, func(s string) bool { return strings.EqualFold(s, name) }) // as the server reads them
		if !isSession && !slices.Contains(connecting, name) && !slices.Contains(foreign, name) {
			names = append(names, name)
		}
	}
	return names
}

// Understood is a URL without what only other clients understand.
func Understood(text string) string {
	before, query := cutQuery(text)
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		if !slices.Contains(foreign, parameterName(pair)) {
			kept = append(kept, pair)
		}
	}
	if query == "" || len(kept) == strings.Count(query, "&")+1 {
		return text
	}
	if len(kept) == 0 {
		return before
	}
	return before + "?" + strings.Join(kept, "&")
}

// parameter is what names of settings look like, the server's and its extensions'.
var parameter = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)*$`)

// checkParameters tells of the first that is none, or that somebody relies on and that does nothing
// here.
func checkParameters(text string) error {
	_, query := cutQuery(text)
	for pair := range strings.SplitSeq(query, "&") {
		name := parameterName(pair)
		if pair != "" && !parameter.MatchString(name) { // not repeated: it may be of a password
			return errors.New(`what follows the first "?" are no parameters: it ends the host, and so it does in a user or a password, where it is written %3F`)
		}
		if why := unsupported[name]; why != "" {
			return fmt.Errorf("%s is not supported (%s): leave it out", name, why)
		}
		if _, value, _ := strings.Cut(pair, "="); name == "gssencmode" && value == "require" {
			return fmt.Errorf("gssencmode=require is not supported: TLS encrypts (sslmode)")
		}
	}
	return nil
}

// cutQuery takes a URL apart. One in which more than the parameters has a "?" can't be read anyway.
func cutQuery(text string) (before, query string) {
	if !strings.Contains(text, "://") {
		return text, ""
	}
	before, query, _ = strings.Cut(text, "?")
	return before, query
}

func parameterName(pair string) string {
	name, _, _ := strings.Cut(pair, "=")
	if plain, err := url.QueryUnescape(name); err == nil {
		return plain
	}
	return name
}

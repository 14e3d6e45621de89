package database

import (
	"github.com/jackc/pgx/v5/pgconn"
)

// Renewing gives what a connection begins with the secrets of now: the user, the password and the
// certificates of a URL, which is asked for each time and whose files (passfile, sslcert, sslkey,
// sslrootcert) are read again. Where the URL or a file can't be read, it is being replaced: what
// was there before counts.
func Renewing(url func() (string, error)) func(*pgconn.Config) {
	return func(c *pgconn.Config) {
		text, err := url()
		if err != nil {
			return
		}
		now, err := pgconn.ParseConfig(text)
		if err != nil {
			return
		}
		if now.Host != c.Host || len(now.Fallbacks) != len(c.Fallbacks) {
			c.User, c.Password = now.User, now.Password
			return
		}
		// Only a whole configuration has its certificates: the rest is what was prepared.
		was := *c
		*c = *now
		c.Database, c.ConnectTimeout, c.RuntimeParams = was.Database, was.ConnectTimeout, was.RuntimeParams
		c.DialFunc, c.LookupFunc, c.BuildFrontend, c.BuildContextWatcherHandler = was.DialFunc, was.LookupFunc, was.BuildFrontend, was.BuildContextWatcherHandler
		c.AfterNetConnect, c.ValidateConnect, c.AfterConnect = was.AfterNetConnect, was.ValidateConnect, was.AfterConnect
		c.OnNotice, c.OnNotification, c.OnPgError = was.OnNotice, was.OnNotification, was.OnPgError
	}
}

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
		c.User, c.Password = now.User, now.Password
		if now.Host == c.Host && len(now.Fallbacks) == len(c.Fallbacks) {
			c.TLSConfig = now.TLSConfig
			for i := range c.Fallbacks {
				c.Fallbacks[i].TLSConfig = now.Fallbacks[i].TLSConfig
			}
		}
	}
}

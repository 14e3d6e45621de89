package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"workflow-worker/migrations"
)

// migrate brings the tables up to date and exits.
func (p process) migrate(ctx context.Context) error {
	s, err := p.readSettings(ctx)
	if err != nil {
		return err
	}
	return migrations.Run(ctx, s.DatabaseURL, s.logger(p.stderr))
}

// role prints the SQL of the service's role.
func (p process) role() error {
	_, err := io.WriteString(p.stdout, migrations.RoleSQL())
	return err
}

// healthcheck is for containers without a shell.
func (p process) healthcheck(ctx context.Context) error {
	s, err := p.readSettings(ctx)
	if err != nil {
		return err
	}
	host := s.Host
	if host == "" {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	url := "http://" + net.JoinHostPort(host, strconv.Itoa(s.Port)) + "/health/ready"
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}

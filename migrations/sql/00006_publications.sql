-- +goose Up
-- How the service learns that rows changed: publications and replica identities.
-- What was here is in 00013_publish.sql, which knows more kinds of tables; where this
-- file has run, that one puts right what it left.

SELECT 1;

#!/usr/bin/env bash
# promtool 2.42.0 (Debian's prometheus 2.42.0+ds-5+deb12u1): unit tests of rules whose input series have a long interval.
#
# The behaviour: a sample counts for five minutes, also in a test's made-up time, and whatever interval the series are said to
# have. With interval: 6h the value 1 of "1x8" is there for five minutes in every six hours. An alert with for: 1h never fires,
# though at each moment named by a sample its expression is true; and one without for: fires at 12h and not at 13h.
#
# Guessed: the interval says how far apart the samples are, and between them the last one holds, since the test gave it.
# Surprising: eval_time at a sample sees the value, so the expression's own test (promql_expr_test) passes, and only the alert
# doesn't come; nothing tells that the series was taken for gone in between. Whoever tests what takes days has to write a
# sample for every five minutes of them.
#
# Seen on 2026-11-30 (series up 1x8 for two days; are these alerts firing?):
#   interval 6h, at 12h: no for fires, for 1h is silent
#   interval 6h, at 13h: no for is silent, for 1h is silent
#   interval 5m, at 12h: no for fires, for 1h fires
#   interval 5m, at 13h: no for fires, for 1h fires
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get -qq download prometheus=2.42.0+ds-5+deb12u1 2>/dev/null
dpkg-deb -x prometheus_*.deb .
cat >rules.yaml <<'YAML'
groups:
  - name: g
    rules:
      - {alert: AtOnce, expr: x == 1}
      - {alert: Later, expr: x == 1, for: 1h}
YAML
fires() { # interval, number of samples, time, alert
  cat >test.yaml <<YAML
rule_files: [rules.yaml]
evaluation_interval: 1m
tests:
  - interval: $1
    input_series: [{series: x, values: 1x$2}]
    alert_rule_test:
      - {eval_time: $3, alertname: $4, exp_alerts: [{exp_labels: {}}]}
YAML
  if ./usr/bin/promtool test rules test.yaml >/dev/null 2>&1; then echo fires; else echo is silent; fi
}
for series in '6h 8' '5m 576'; do
  for at in 12h 13h; do
    read -r interval samples <<<"$series"
    echo "interval $interval, at $at: no for $(fires "$interval" "$samples" "$at" AtOnce), for 1h $(fires "$interval" "$samples" "$at" Later)"
  done
done | tee seen
cat >expected <<'TXT'
interval 6h, at 12h: no for fires, for 1h is silent
interval 6h, at 13h: no for is silent, for 1h is silent
interval 5m, at 12h: no for fires, for 1h fires
interval 5m, at 13h: no for fires, for 1h fires
TXT
diff expected seen

#!/usr/bin/env bash
# promtool 2.42.0 (Debian's prometheus 2.42.0+ds-5+deb12u1): which mistakes in the templates of rules `promtool check rules` finds.
#
# The behaviour: it finds what can't be parsed, and a function that isn't there. A template that parses and can never be expanded passes;
# the alert fires all the same, with the error as its annotation, or as the value of its label, which routing then looks at. A
# recording rule's labels aren't templates at all: the braces become the label's value as they stand, and that passes too.
#
# Guessed: templates are tried with a made-up alert, so that a misspelt field shows; and labels are templates in both kinds of rules,
# or are refused where they aren't.
# Surprising: the check says SUCCESS to a page that will say only "error expanding template", at the time when somebody needs it. Only a
# unit test that asks for the annotations finds it. For the recording rule one has to ask for the series' labels.
#
# Seen on 2026-12-01:
#   unknown function: refused
#   unclosed action: refused
#   field of a text: taken; the annotation: an error
#   function of a text that wants a number: taken; the annotation: an error
#   first of a query without a result: taken; the annotation: an error
#   field of a text, in a label: taken; the label: an error
#   a label that isn't there: taken; the annotation: empty
#   a recording rule's label: taken; the label: {{ $value }}
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get -qq download prometheus=2.42.0+ds-5+deb12u1 2>/dev/null
dpkg-deb -x prometheus_*.deb .
rule() { # kind, where the template is, the template
  printf 'groups:\n  - name: g\n    rules:\n      - %s: R\n        expr: x == 1\n        %s:\n          told: %s\n' "$1" "$2" "'$3'" >rules.yaml
}
taken() { if ./usr/bin/promtool check rules rules.yaml >/dev/null 2>&1; then echo taken; else echo refused; fi; }
# told is what becomes of the template: promtool shows it where a test asks for something else.
told() {
  cat >test.yaml <<YAML
rule_files: [rules.yaml]
tests:
  - interval: 1m
    input_series: [{series: 'x{size="big"}', values: 1x5}]
    $1
YAML
  { ./usr/bin/promtool test rules test.yaml 2>&1 | tr '\n' ' '; echo; } | sed -n 's/.*got:.*told="\([^"\\]*\).*/\1/p' | sed 's/^<error expanding template: error executing.*/an error/; s/^$/empty/'
}
asked='alert_rule_test: [{eval_time: 2m, alertname: R}]'
series="promql_expr_test: [{expr: R, eval_time: 2m, exp_samples: []}]"
alert() { # name, where, template
  rule alert "$2" "$3"
  if [ "$(taken)" = refused ]; then echo "$1: refused"; else echo "$1: taken; the ${2%s}: $(told "$asked")"; fi
}
{
  alert 'unknown function' annotations '{{ $value | humanise }}'
  alert 'unclosed action' annotations '{{ $value '
  alert 'field of a text' annotations '{{ $labels.size.unit }}'
  alert 'function of a text that wants a number' annotations '{{ $labels.size | humanizeDuration }}'
  alert 'first of a query without a result' annotations '{{ query "nothing" | first | value }}'
  alert 'field of a text, in a label' labels '{{ $labels.size.unit }}'
  alert "a label that isn't there" annotations '{{ $labels.colour }}'
  rule record labels '{{ $value }}'
  echo "a recording rule's label: $(taken); the label: $(told "$series")"
} | tee seen
cat >expected <<'TXT'
unknown function: refused
unclosed action: refused
field of a text: taken; the annotation: an error
function of a text that wants a number: taken; the annotation: an error
first of a query without a result: taken; the annotation: an error
field of a text, in a label: taken; the label: an error
a label that isn't there: taken; the annotation: empty
a recording rule's label: taken; the label: {{ $value }}
TXT
diff expected seen

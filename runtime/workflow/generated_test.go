package workflow

import (
	"strings"
	"testing"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/docker/stack/stacktest/race"
	"workflow-worker/runtime/compile"
)

// Packages that write code while they run, at the sizes of real schemas and templates: texts of 7
// to 25 KB.
func TestWorkflowsRunTheCodeThatPackagesGenerate(t *testing.T) {
	t.Parallel()
	race.AtSpeed(t)
	p := unstarted(t)
	p.patiently()
	p.comp = compile.New(compile.Config{Modules: stacktest.Packages(t)})
	t.Cleanup(p.comp.Close)
	p.codes.Probe = p.comp.Probe
	p.deploy(`
import { z } from 'zod';
const Address = z.object({ street: z.string().min(1), number: z.string(), zip: z.string().regex(/^\d{5}$/), city: z.string(), country: z.enum(['DE', 'FR', 'IT']), extra: z.string().optional() });
const Order = z.object({
  id: z.uuid(), customer: z.string(), mail: z.email(), placed: z.iso.datetime(), total: z.number().positive(), currency: z.string().length(3),
  shipping: Address, billing: Address.optional(), tags: z.array(z.string()).default([]), notes: z.string().nullable(),
  lines: z.array(z.object({ sku: z.string(), name: z.string(), n: z.number().int().positive(), price: z.number(), tax: z.number(), discount: z.number().optional(), weight: z.number() })).nonempty(),
  more: z.object(Object.fromEntries(Array.from({ length: 40 }, (_, i) => ['field' + i, i % 2 ? z.number() : z.string().optional()]))),
});
export async function checked() {
  const address = { street: 's', number: '1', zip: '12345', city: 'c', country: 'DE' };
  const order = { id: '7f1c5f2e-5d0c-4f0b-9c5e-1f1f2d3c4b5a', customer: 'c', mail: 'a@b.co', placed: '2026-01-01T00:00:00Z', total: 1, currency: 'EUR', shipping: address, notes: null,
    lines: [{ sku: 's', name: 'n', n: 1, price: 2, tax: 3, weight: 4 }], more: Object.fromEntries(Array.from({ length: 40 }, (_, i) => ['field' + i, i % 2 ? i : 'x'])) };
  const good = Order.parse(order);
  await sleep(1);
  const bad = Order.safeParse({ ...order, total: -1, shipping: { ...address, zip: 'x' }, more: { ...order.more, field7: 'no' } });
  return [good.tags, Object.keys(good).length, bad.error!.issues.map((i) => i.path.join('.'))];
}`)
	p.deploy(`
import Ajv from 'ajv';
const text = { type: 'string', minLength: 1, maxLength: 100, pattern: '^[a-z0-9 ]+$' };
const line = { type: 'object', properties: { sku: text, n: { type: 'integer', minimum: 1 }, price: { type: 'number' }, tags: { type: 'array', items: text, uniqueItems: true } }, required: ['sku', 'n'], additionalProperties: false };
const validate = new Ajv({ allErrors: true }).compile({ type: 'object', properties: Object.fromEntries(Array.from({ length: 4 }, (_, i) => ['p' + i, i % 3 ? text : { type: 'array', items: line, minItems: 1 }])), required: ['p0', 'p1'], additionalProperties: false });
export async function validated() {
  const good = validate({ p0: [{ sku: 'a', n: 1 }], p1: 'text' });
  await sleep(1);
  return [good, validate({ p0: [{ sku: 'A', n: 0, x: 1 }] }), validate.errors!.map((e) => e.keyword).sort()];
}`)
	p.deploy(`
import Handlebars from 'handlebars';
import _ from 'lodash';
Handlebars.registerHelper('shout', (s: string) => s.toUpperCase());
const rows = Array.from({ length: 25 }, (_, i) => '<tr><td>{{shout a' + i + '}}</td>{{#if b' + i + '}}<td>{{b' + i + '}}</td>{{else}}<td>none</td>{{/if}}</tr>').join('\n');
const page = Handlebars.compile('<table>' + rows + '{{#each items}}<li>{{@index}} {{name}}</li>{{/each}}</table>');
const mail = _.template(Array.from({ length: 50 }, (_, i) => '<p><%- a' + i + ' %> <% if (b' + i + ') { %>yes<% } %></p>').join('\n'));
export async function rendered() {
  const data = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [['a' + i, 'x<' + i], ['b' + i, i % 2]]).flat());
  const html = page({ ...data, items: [{ name: 'n' }] });
  await sleep(1);
  return [html.includes('<td>X&lt;24</td>'), html.includes('<td>none</td>'), html.endsWith('<li>0 n</li></table>'), mail(data).includes('<p>x&lt;49 yes</p>')];
}`)
	p.startWorker()
	want(t, p.run("checked"), `[[],11,["total","shipping.zip","more.field7"]]`)
	want(t, p.run("validated"), `[true,false,["additionalProperties","minimum","pattern","required"]]`)
	want(t, p.run("rendered"), `[true,true,true,true]`)
	p.replayAll()
}

// Without a compiler's process that says whether a text can be parsed, short ones alone are.
func TestGeneratedCodeIsBounded(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	p.codes.Probe = p.comp.Probe
	p.deploy(`
const refused = (f: () => unknown) => { try { return f(); } catch (e: any) { return e.name + ': ' + e.message; } };
export async function run() {
  return [new Function(' '.repeat(1e5) + 'return 3')(), refused(() => new Function(' '.repeat(2e6))), refused(() => new Function(' '.repeat(1e4) + 'return ]'))];
}`)
	p.startWorker()
	got := p.run("run")
	for _, part := range []string{"[3,", "RangeError: new Function of a text of 2000", "the limit is 1048576", "SyntaxError"} {
		if !strings.Contains(got, part) {
			t.Errorf("no %q in %s", part, got)
		}
	}
	p.replayAll()
}

package activity

import (
	"testing"
)

func TestResultsConvertAsTemporalsConverterDoes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"string":       {`return "é😀"`, `"é😀"`},
		"number":       {`return 1e21`, `1e+21`},
		"null":         {`return null`, `null`},
		"undefined":    {``, `undefined`},
		"object":       {`return {b: 1, a: [undefined, NaN, -0], d: new Date(0), u: undefined}`, `{"b":1,"a":[null,null,0],"d":"1970-01-01T00:00:00.000Z"}`},
		"map":          {`return new Map([[1, 2]])`, `{}`},
		"bytes":        {`return new Uint8Array([1, 2, 255])`, `"AQL/"`},
		"promise":      {`return Promise.resolve(Promise.resolve(5))`, `5`},
		"thenable":     {`return {then(f) { setTimeout(() => f(6), 1) }}`, `6`},
		"after a wait": {`await new Promise(r => setTimeout(r, 5)); return 'late'`, `"late"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := evaluate(t, CodeOptions{}, c.body)
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestArgumentsArriveAsSent(t *testing.T) {
	t.Parallel()
	c := code(t, `export const main = (...args: unknown[]) => args.map((a) => (a instanceof Uint8Array ? 'bytes ' + a.join() : typeof a + ' ' + JSON.stringify(a)))`, CodeOptions{})
	args := jsonArgs(`{"a":[1,"x"]}`, `null`, `"s"`)
	args.Payloads = append(args.Payloads, jsonArgs(``).Payloads[0], jsonArgs(``).Payloads[0])
	args.Payloads[3].Metadata["encoding"] = []byte("binary/null")
	args.Payloads[4].Metadata["encoding"] = []byte("binary/plain")
	args.Payloads[4].Data = []byte{7, 8}
	out, err := c.Execute(t.Context(), "main", args)
	if err != nil {
		t.Fatal(err)
	}
	const want = `["object {\"a\":[1,\"x\"]}","object null","string \"s\"","undefined undefined","bytes 7,8"]`
	if got := string(out.Payloads[0].Data); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAnythingThatModulesCanExportIsCalled(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, export string }{
		"function":       {`export function main() { return 1 }`, "main"},
		"async function": {`export async function main() { return 1 }`, "main"},
		"arrow":          {`export const main = async () => 1`, "main"},
		"default":        {`export default async () => 1`, "default"},
		"assigned":       {`module.exports = { main: () => 1 }`, "main"},
		"renamed":        {`function f() { return 1 }; export { f as "charge-card" }`, "charge-card"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := code(t, c.text, CodeOptions{}).Execute(t.Context(), c.export, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(out.Payloads[0].Data); got != "1" {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestUnknownExportIsRetryableAndListsTheKnown(t *testing.T) {
	t.Parallel()
	_, err := code(t, `export const a = () => 1, b = 2; export class C {}; export function d() {}`, CodeOptions{}).Execute(t.Context(), "zz", nil)
	app := wantApplication(t, err, NotFoundType, false)
	if want := `charge-card.ts exports no function "zz"; it exports: a, d`; app.Message() != want {
		t.Errorf("got  %s\nwant %s", app.Message(), want)
	}
}

func TestResultsWithoutAPayloadFailClearly(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"bigint": `return 10n`, "function": `return () => 1`, "symbol": `return Symbol('x')`, "cycle": `const a: any = {}; a.a = a; return a`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := evaluate(t, CodeOptions{}, body)
			wantApplication(t, err, ResultType, false)
		})
	}
}

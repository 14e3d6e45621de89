package sandbox

import (
	"testing"
	"time"

	"github.com/dop251/goja"
)

func TestTextsOfExecutionsFromBeforeStayAsTheyWere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ code, now, before string }{
		{`new TextDecoder("utf-16le").decode(new Uint8Array([0xff, 0xfe, 65, 0])).length`, "1", "2"},
		{`new TextDecoder("utf-16be", { ignoreBOM: true }).decode(new Uint8Array([0xfe, 0xff, 0, 65])).length`, "2", "2"},
		{`try { new TextDecoder("gb18030", { fatal: true }).decode(new Uint8Array([0x84, 0x31, 0xa4, 0x37])).charCodeAt(0) } catch (e) { e.name }`, "65533", "TypeError"},
		{`try { new TextDecoder("gb18030", { fatal: true }).decode(new Uint8Array([0xff])) } catch (e) { String(e.code) }`, "ERR_ENCODING_INVALID_ENCODED_DATA", "undefined"},
		{`try { new TextDecoder("no-such") } catch (e) { String(e.code) }`, "ERR_ENCODING_NOT_SUPPORTED", "undefined"},
		{`[1234.5].toLocaleString("de")`, "1.234,5", "1,234.5"},
	} {
		for former, want := range map[bool]string{false: c.now, true: c.before} {
			v, err := New(Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got goja.Value
			err = v.Enter(t.Context(), time.Minute, func() (err error) {
				v.Former.Texts = former
				got, err = v.Runtime.RunString(c.code)
				return err
			})
			if err != nil || got.String() != want {
				t.Errorf("%s, before: %v: got %v, %v, want %s", c.code, former, got, err, want)
			}
		}
	}
}

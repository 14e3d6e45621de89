package activity

import "testing"

// What Node 20 gives for it stands below.
func TestBuffersReadAndWriteTextAsNode(t *testing.T) {
	t.Parallel()
	c := code(t, `export const main = async () => {
		const B = Buffer; const big = 'xä😀'.repeat(10000); const b = B.from(big);
		return [b.length, b.toString() === big, b.toString('utf8', 1, 3), b.toString('UTF-8', 0, 1), B.byteLength(big), B.from('').toString(), B.from([0xff, 0x41]).toString(), B.from('\ufeffa').toString().length,
			B.from('\ud800').toString('hex'), b.toString('utf8', 5, 2), B.from('abc').toString('utf8', 10), B.isBuffer(b), b.subarray(0, 1).toString(), B.from('abc').toString('utf8', -2, 2), B.from('aé', 'latin1').toString('hex'), String(B.from('é', 'UTF8'))];
	}`, CodeOptions{})
	want := `[70000,true,"ä","x",70000,"","` + "\ufffd" + `A",2,"efbfbd","","",true,"x","ab","61e9","é"]`
	if got, err := execute(t, c); err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

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

// What Node 20 gives for it stands beside.
func TestBuffersCodeCompareAndFindAsNode(t *testing.T) {
	t.Parallel()
	got, err := evaluate(t, CodeOptions{}, `
	const out: any[] = [];
	const is = (f: () => any) => { try { const v = f(); out.push(Buffer.isBuffer(v) ? v.toString('hex') : v); } catch (e: any) { out.push(e.name); } };
	for (const s of ['YQ==YQ==', 'Y Q = =', 'YQ', 'Y', 'YWJj!YWJj', '=YWJj', '-_-_', '+/+/', 'YWJjZA=', 'YWJj\nZA==', 'YR==', 'éYWJj']) is(() => [Buffer.from(s, 'base64'), Buffer.from(s, 'base64url' as any)].map((b) => b.toString('latin1')).join() + Buffer.byteLength(s, 'base64'));
	for (const s of ['abc', 'ab1g', 'zz', 'aBcD', 'é1', 'ab ab', '']) is(() => Buffer.from(s, 'HEX' as any));
	for (const e of ['latin1', 'binary', 'ascii', 'utf16le', 'ucs2', 'UTF-8', 'nope', 'utf7']) is(() => Buffer.from('añ€😀\ud800', e as any));
	const odd = Buffer.from([0x61, 0xf1, 0x41, 0xd8, 0x00]);
	for (const e of ['latin1', 'ascii', 'utf16le', 'utf8', 'hex', 'base64', 'base64url', 'nope']) is(() => [odd.toString(e as any), odd.toString(e as any, 1, 3), odd.toString(e as any, 3, 2), odd.toString(e as any, -4, 99)].map(encodeURIComponent as any).join());
	const w = Buffer.alloc(5);
	const wrote = (...a: any[]) => is(() => { w.fill(0); const n = (w.write as any)(...a); return n + ':' + w.toString('hex'); });
	wrote('ab€'); wrote('a€€'); wrote('abc', 'utf16le'); wrote('00112233445566', 'hex'); wrote('YWJjZGVmZ2hp', 1, 3, 'base64'); wrote('ab', 4); wrote('ab', 5); wrote('ab', 6); wrote('ab', -1); wrote('abc', 1, 1); wrote('ñ', 'latin1'); wrote('ñ', 2, 'ascii'); wrote('x', 'nope'); wrote('😀', 0, 3);
	const b = Buffer.from('abcabc');
	for (const a of [['c'], ['abc', 1], ['abc', -2], ['bca'], [Buffer.from('c')], [new Uint8Array([99])], [99], [99, 3], ['Yw==', 'base64'], ['c', 99], ['c', -99], ['é']] as any[]) is(() => [(b.indexOf as any)(...a), (b.lastIndexOf as any)(...a), (b.includes as any)(...a)].join());
	is(() => Buffer.from('aabb', 'utf16le').indexOf('b', 'utf16le' as any)); is(() => b.indexOf({} as any));
	is(() => Buffer.alloc(5, 'ab')); is(() => Buffer.alloc(4, 'é')); is(() => Buffer.alloc(3).fill(300)); is(() => Buffer.alloc(4).fill('x', 1, 3)); is(() => Buffer.alloc(4).fill(Buffer.from('ab'))); is(() => Buffer.alloc(4, 'YWI=', 'base64')); is(() => Buffer.alloc(3, 7).fill('')); is(() => Buffer.alloc(2).fill('abc')); is(() => Buffer.alloc(7).fill('ñ', 'latin1'));
	is(() => Buffer.compare(Buffer.from('a'), Buffer.from('ab'))); is(() => Buffer.compare(Buffer.from('b'), new Uint8Array([97]))); is(() => Buffer.compare('a' as any, b)); is(() => b.equals(Buffer.from('abcabc'))); is(() => b.equals(new Uint8Array(6))); is(() => b.equals('a' as any)); is(() => b.compare(Buffer.from('abc'))); is(() => b.compare(Buffer.from('abc'), 0, 3, 3)); is(() => b.compare(b));
	is(() => Buffer.from([1, 2, 3, 4]).swap16()); is(() => Buffer.from([1, 2, 3, 4]).swap32()); is(() => Buffer.from([1, 2, 3, 4]).swap64()); is(() => Buffer.from([1, 2, 3]).swap16());
	for (const [s, e] of [['añ€😀', 'utf8'], ['abc', 'hex'], ['añ', 'latin1'], ['añ', 'utf16le'], ['a\ud800', undefined]] as any[]) is(() => Buffer.byteLength(s, e));
	for (const e of ['UTF8', 'base64URL', 'latin-1', 'ucs-2', '', undefined, 5]) is(() => Buffer.isEncoding(e as any));
	is(() => Buffer.from('abcdef').subarray(1, 4).toString('base64')); is(() => b.toLocaleString('hex' as any)); is(() => Buffer.from('ñ').toString('latin1').length); is(() => String(Buffer.concat([b, Buffer.from('é')])));
	return out;
`)
	want := `["a,a4","a,a4","a,a1",",0","abcabc,abcabc6",",3","ûÿ¿,ûÿ¿3","ûÿ¿,ûÿ¿3","abcd,abcd4","abcd,abcd5","a,a1","abc,abc3","ab","ab","","abcd","","ab","","61f1ac3d0000","61f1ac3d0000","61f1ac3d0000","6100f100ac203dd800de00d8","6100f100ac203dd800de00d8","61c3b1e282acf09f9880efbfbd","TypeError","TypeError","a%C3%B1A%C3%98%00,%C3%B1A,,a%C3%B1A%C3%98%00","aqAX%00,qA,,aqAX%00","URIError","a%EF%BF%BDA%EF%BF%BD%00,%EF%BF%BDA,,a%EF%BF%BDA%EF%BF%BD%00","61f141d800,f141,,61f141d800","YfFB2AA%3D,8UE%3D,,YfFB2AA%3D","YfFB2AA,8UE,,YfFB2AA","TypeError","5:6162e282ac","4:61e282ac00","4:6100620000","5:0011223344","3:0061626300","1:0000000061","0:0000000000","RangeError","RangeError","1:0061000000","1:f100000000","1:0000f10000","TypeError","0:0000000000","2,5,true","3,0,true","-1,3,false","1,1,true","2,5,true","2,5,true","2,5,true","5,2,true","2,5,true","-1,5,false","2,-1,true","-1,-1,false",4,"TypeError","6162616261","c3a9c3a9","2c2c2c","00787800","61626162","61626162","000000","6162","f1f1f1f1f1f1f1",-1,1,"TypeError",true,false,"TypeError",1,0,0,"02010403","04030201","RangeError","RangeError",10,1,2,4,4,true,true,false,true,false,false,false,"YmNk","616263616263",2,"abcabcé"]`
	if err != nil || got != want {
		t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
	}
}

// What Node 20 gives for it stands beside. Not as in Node: in a buffer of an odd length it finds what
// is no part of it, at its end, if units of two bytes are looked for.
func TestBuffersTakeArgumentsAsNode(t *testing.T) {
	t.Parallel()
	got, err := evaluate(t, CodeOptions{}, `
	const out: any[] = [];
	const is = (f: () => any) => { try { const v = f(); out.push(Buffer.isBuffer(v) ? v.toString('hex') : v); } catch (e: any) { out.push(e.code); } };
	const b = Buffer.from([1, 2, 3, 4, 5, 6]);
	const fill = (...a: any[]) => is(() => (Buffer.alloc(4) as any).fill(...a));
	fill('a', undefined, -10); fill(7, 1.5); fill(7, 0, 5); fill('a', -1); fill(7, 2 ** 32); fill(true); fill('', 1); fill(new Uint8Array(0)); fill(new Uint16Array([258])); fill('zz', 'hex'); fill('ab', 5);
	const copy = (...a: any[]) => is(() => { const w = Buffer.alloc(4); return (b.copy as any)(w, ...a) + w.toString('hex'); });
	copy(2 ** 40); copy(0, -1); copy(0, 1, 2 ** 40); copy(1.5, '2'); copy(0, 0, Infinity); copy(0, 7);
	const read = (m: string, ...a: any[]) => is(() => (b as any)[m](...a));
	read('readUInt8', -Infinity); read('readUInt8', null); read('readUInt16BE', 0.5); read('readUInt16BE', 2 ** 32); read('readUIntBE', undefined, 2); read('readUIntBE', 1, 3); read('readUIntLE', 1, 7); read('readDoubleLE', 0); read('readInt8'); read('readUInt32LE', 2); read('readInt16BE', -2);
	const write = (m: string, ...a: any[]) => is(() => { const w = Buffer.alloc(4); return (w as any)[m](...a) + w.toString('hex'); });
	write('writeUInt8', 1, -1); write('writeUInt16LE', 258); write('writeUIntBE', 258, 1, 3); write('writeUInt32BE', 1, '0'); write('write', 'abc', 1.5); write('write', 'abc', 5); write('write', 'abc', 0, 9); write('write', 5); write('write', 'abc', 3, 9);
	is(() => b.slice(2 ** 31)); is(() => b.slice(-(2 ** 40), 2)); is(() => b.slice(1, -1)); is(() => b.slice(NaN, 1.9));
	is(() => b.compare(b, 0, 9)); is(() => b.compare(b, 7, 6)); is(() => b.compare(b, 1.5)); is(() => Buffer.compare(b, 'a' as any));
	is(() => b.indexOf('')); is(() => b.indexOf('', 9)); is(() => b.lastIndexOf('')); is(() => b.indexOf(1.9)); is(() => b.indexOf(-255)); is(() => b.indexOf(3, 2 ** 40)); is(() => b.lastIndexOf(3, 2 ** 40)); is(() => b.indexOf('a', 0, 'nope' as any)); is(() => b.indexOf(3, 'nope' as any));
	const wide = Buffer.from('xabcabc', 'utf16le');
	is(() => wide.indexOf('abc', 'utf16le' as any)); is(() => wide.lastIndexOf('abc', 'utf16le' as any)); is(() => wide.lastIndexOf('abc', 5, 'utf16le')); is(() => wide.indexOf('cb', 0, 'utf16le')); is(() => Buffer.from([0, 97, 0, 97]).indexOf('a', 0, 'ucs2'));
	is(() => b.toString('utf8', NaN, '2' as any)); is(() => b.toString(null as any)); is(() => Buffer.from('a', null as any)); is(() => Buffer.byteLength('YQ==', 'base64url')); is(() => Buffer.byteLength('é', 'nope' as any));
	is(() => Buffer.alloc(-1)); is(() => Buffer.alloc(4, 'aŁ', 'base64')); is(() => Buffer.from('İ1', 'hex')); is(() => Buffer.concat([b, b], 8)); is(() => Buffer.concat([Buffer.from('a')], 3)); is(() => Buffer.concat(['a' as any])); is(() => Buffer.concat([], 'x' as any));
	return out;
`)
	want := `["61616161","ERR_OUT_OF_RANGE","ERR_OUT_OF_RANGE","ERR_OUT_OF_RANGE","00000000","01010101","00000000","ERR_INVALID_ARG_VALUE","02010201","ERR_INVALID_ARG_VALUE","00000000","000000000","ERR_OUT_OF_RANGE","402030405","300030405","000000000","ERR_OUT_OF_RANGE","ERR_OUT_OF_RANGE","ERR_INVALID_ARG_TYPE","ERR_OUT_OF_RANGE","ERR_OUT_OF_RANGE","ERR_INVALID_ARG_TYPE",131844,"ERR_OUT_OF_RANGE","ERR_BUFFER_OUT_OF_BOUNDS",1,100992003,"ERR_OUT_OF_RANGE","ERR_OUT_OF_RANGE","202010000","400000102","ERR_INVALID_ARG_TYPE","ERR_OUT_OF_RANGE","ERR_OUT_OF_RANGE","ERR_OUT_OF_RANGE","ERR_INVALID_ARG_TYPE","ERR_OUT_OF_RANGE","","0102","02030405","01","ERR_OUT_OF_RANGE",1,"ERR_OUT_OF_RANGE","ERR_INVALID_ARG_TYPE",0,6,6,0,0,-1,2,"ERR_UNKNOWN_ENCODING",2,2,8,2,-1,-1,"\u0001\u0002","ERR_UNKNOWN_ENCODING","61",1,2,"ERR_OUT_OF_RANGE","68686868","01","0102030405060102","610000","ERR_INVALID_ARG_TYPE",""]`
	if err != nil || got != want {
		t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
	}
}

// What Node 20 gives for it stands beside: one U+FFFD for each part that could have become a
// character.
func TestTextThatIsNotUTF8ReadsAsInNode(t *testing.T) {
	t.Parallel()
	got, err := evaluate(t, CodeOptions{}, `
	const bad = [[0xe2, 0x82], [0x61, 0xf0, 0x9f, 0x98, 0x62], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe0, 0x80, 0xaf], [0xf0, 0x9f, 0xe2, 0x82, 0xac], [0xc0, 0x80, 0xff], [0xc3, 0xc3, 0xa9], [0xf0, 0x80, 0x80]];
	const parts = (...chunks: number[][]) => { const d = new TextDecoder(); return chunks.map((c) => d.decode(new Uint8Array(c), { stream: true })).join('|') + '|' + d.decode(); };
	const fails = (b: number[]) => { try { new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(b)); return false; } catch (e) { return true; } };
	return [bad.map((b) => Buffer.from(b).toString()), bad.map((b) => new TextDecoder().decode(new Uint8Array(b))), bad.map(fails),
		parts([0xe2], [0x82], [0xac]), parts([0xe2], [0x61]), parts([0xed], [0xa0, 0x80]), parts([0xf0, 0x80], [0x80]), parts([0xef, 0xbb], [0xbf, 0x61], [0xf0, 0x9f]), parts([0xc0], [0xf5], [0xf4, 0x90])];
`)
	want := `[["�","a�b","���","����","���","�€","���","�é","���"],["�","a�b","���","����","���","�€","���","�é","���"],[true,true,true,true,true,true,true,true,true],"||€|","|�a|","|���|","��|�|","|a||�","�|�|��|"]`
	if err != nil || got != want {
		t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
	}
}

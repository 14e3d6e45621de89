package sandbox

import "testing"

// glue is what workflows compute between their activities: numbers, texts, sorting, JSON there and
// back.
var glue = []struct{ name, text string }{
	{"numbers", `() => { let sum = 0; for (let i = 0; i < 200000; i++) sum = (sum * 31 + i) % 1000003; return sum }`},
	{"texts", `() => {
		const words = [];
		for (let i = 0; i < 20000; i++) words.push(('w' + (i * 7919) % 1009).toUpperCase());
		const counts = new Map();
		for (const w of words.join(' ').split(' ')) counts.set(w, (counts.get(w) ?? 0) + 1);
		return counts.size;
	}`},
	{"sorting", `() => {
		const rows = Array.from({ length: 5000 }, (_, i) => ({ id: i, key: (i * 48271) % 65521, name: 'row ' + i }));
		return rows.sort((a, b) => a.key - b.key || a.id - b.id)[0].name;
	}`},
	{"JSON", `((rows) => () => JSON.parse(JSON.stringify(rows)).length)(Array.from({ length: 5000 }, (_, i) => ({ id: i, key: i * 1.5, name: 'row ' + i })))`},
	{"questions about items", `((rows) => () => rows.filter((r) => r.key % 3 === 1 && r.name !== '').map((r) => r.id - r.key).reduce((a, b) => a + b, 0) + rows.find((r) => r.id === 4990).id)(Array.from({ length: 5000 }, (_, i) => ({ id: i, key: i * 7, name: 'row ' + i })))`},
	{"state", `() => {
		const state = { count: 0, seen: {}, list: [] };
		for (let i = 0; i < 20000; i++) {
			state.count = state.count + 1;
			const key = 'k' + i % 50;
			state.seen[key] = (state.seen[key] ?? 0) + 1;
			if (state.list.length < 1000) state.list.push(i); else state.list[i % 1000] = i;
		}
		return state.count + state.list.length;
	}`},
	{"objects and closures", `() => {
		const total = (orders) => orders.flatMap((o) => o.lines).filter((l) => l.quantity > 1).map(({ price, quantity }) => price * quantity).reduce((a, b) => a + b, 0);
		let sum = 0;
		for (let i = 0; i < 200; i++) sum += total(Array.from({ length: 10 }, (_, n) => ({ id: n, lines: [{ price: n, quantity: i % 3 }, { price: 2, quantity: n }] })));
		return sum;
	}`},
}

func BenchmarkGlue(b *testing.B) {
	for _, c := range glue {
		b.Run(c.name, func(b *testing.B) { benchmarkCalls(b, services[0], c.text) })
	}
}

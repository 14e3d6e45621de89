package main

import "github.com/evanw/esbuild/pkg/api"

// insides is what util.inspect asks of its engine, and what the package can only guess: see
// Host in ts/node/host.ts.
var insides = []change{
	{"getPromiseDetails:function(){return[c,void 0]}", "getPromiseDetails:function(p){var d=__host.promise(p);return[d[0]==='pending'?c:d[0]==='rejected'?l:0,d[1]]}"},
	{"return t.stack?wt(t.stack):T(t)", "return t.stack?wt(__host.stack(t.stack)):T(t)"},
	{
		"getProxyDetails:a.getProxyDetails,Proxy:a.Proxy,previewEntries",
		"getProxyDetails:function(p,full){var d=__host.proxy(p);return d&&(full===void 0||full?d:d[0])},Proxy:Proxy,previewEntries",
	},
}

// seeThrough gives the package that inspects values the engine's own knowledge of them.
func seeThrough(b api.PluginBuild) {
	load(b, `node-inspect-extracted/dist/inspect\.js$`, func(text string) (string, error) { return changed(text, insides) })
}

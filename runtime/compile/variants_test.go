package compile

import (
	"strings"
	"testing"
)

func TestActivitiesTakeNodesVariantOfPackagesWhereItNeedsNothingElse(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		// The browser field of package.json, for a file.
		"node_modules/pure/package.json":     `{"main": "index.js", "browser": {"./parse.js": "./parse.browser.js", "./more.js": false}}`,
		"node_modules/pure/index.js":         `module.exports = require("./parse") + require("./more")`,
		"node_modules/pure/parse.js":         `module.exports = "node"`,
		"node_modules/pure/parse.browser.js": `module.exports = "web"`,
		"node_modules/pure/more.js":          `module.exports = "more"`,
		// ... for the package, with a module that is here.
		"node_modules/known/package.json": `{"main": "node.js", "browser": "web.js"}`,
		"node_modules/known/node.js":      `require("node:util"); require("events"); module.exports = "node"`,
		"node_modules/known/web.js":       `module.exports = "web"`,
		// ... that needs what isn't.
		"node_modules/bound/package.json": `{"main": "node.js", "browser": {"./node.js": "./web.js", "fs": false}}`,
		"node_modules/bound/node.js":      `require("net"); module.exports = "node"`,
		"node_modules/bound/web.js":       `module.exports = "web" + Object.keys(require("fs")).length + require("pure")`,
		// Conditions.
		"node_modules/cond/package.json":      `{"type": "module", "exports": {".": {"browser": "./web.js", "default": "./node.js"}, "./n": {"node": "./node.js", "default": "./web.js"}}}`,
		"node_modules/cond/node.js":           `import x from "pure"; export const how = "node " + x`,
		"node_modules/cond/web.js":            `export const how = "web"`,
		"node_modules/condbound/package.json": `{"exports": {"node": {"import": "./node.mjs"}, "default": {"import": "./web.mjs"}}}`,
		"node_modules/condbound/node.mjs":     `import net from "node:net"; export const how = net`,
		"node_modules/condbound/web.mjs":      `export const how = "web"`,
		// One that leads to another which needs what isn't here, and one of which no variant can do
		// without.
		"node_modules/outer/package.json": `{"main": "node.js", "browser": "web.js"}`,
		"node_modules/outer/node.js":      `module.exports = "outer node " + require("bound")`,
		"node_modules/outer/web.js":       `module.exports = "outer web"`,
		"node_modules/tries/package.json": `{"main": "index.js"}`,
		"node_modules/tries/index.js":     `let fs; try { fs = require("fs") } catch { fs = "none" } module.exports = fs`,
		// What has no variant leaves it to those that import it, at any depth; what has been given
		// up for it doesn't lead there any more.
		"node_modules/socket/package.json":  `{"main": "index.js"}`,
		"node_modules/socket/index.js":      `module.exports = require("net")`,
		"node_modules/between/package.json": `{"main": "index.js"}`,
		"node_modules/between/index.js":     `module.exports = require("socket")`,
		"node_modules/client/package.json":  `{"main": "node.js", "browser": {"./node.js": "./web.js"}}`,
		"node_modules/client/node.js":       `module.exports = "client node " + require("between")`,
		"node_modules/client/web.js":        `module.exports = "client web " + require("pure")`,
		"node_modules/above/package.json":   `{"main": "node.js", "browser": "web.js"}`,
		"node_modules/above/node.js":        `module.exports = "above node, " + require("client")`,
		"node_modules/above/web.js":         `module.exports = "above web"`,
		// Who makes requests by http can do without connections and files, as can what it is made
		// of and what leads to it; not others.
		"node_modules/asks/package.json":   `{"main": "node.js", "browser": "web.js"}`,
		"node_modules/asks/node.js":        `const http = require("http"); const tls = require("node:tls"); module.exports = () => ["asks node", require("agent")]`,
		"node_modules/asks/web.js":         `module.exports = () => ["asks web"]`,
		"node_modules/agent/package.json":  `{"main": "index.js"}`,
		"node_modules/agent/index.js":      `const net = require("net"); module.exports = "agent"`,
		"node_modules/sdk/package.json":    `{"main": "node.js", "browser": "web.js"}`,
		"node_modules/sdk/node.js":         `const fs = require("fs/promises"); const os = require("os"); module.exports = "sdk node " + typeof require("asks")`,
		"node_modules/sdk/web.js":          `module.exports = "sdk web"`,
		"node_modules/lookup/package.json": `{"main": "node.js", "browser": "web.js"}`,
		"node_modules/lookup/node.js":      `const http = require("http"); module.exports = require("cluster")`,
		"node_modules/lookup/web.js":       `module.exports = "lookup web"`,
		// Who looks for files finds none, whether there is a variant without or not.
		"node_modules/slack/package.json":    `{"main": "index.js"}`,
		"node_modules/slack/index.js":        `const fs = require("node:fs"); const os = require("os"); const net = require("net"); module.exports = "slack"`,
		"node_modules/settings/package.json": `{"main": "node.js", "browser": "web.js"}`,
		"node_modules/settings/node.js":      `const fs = require("fs"); module.exports = "settings node"`,
		"node_modules/settings/web.js":       `module.exports = "settings web"`,
		"node_modules/swaps/package.json":    `{"main": "index.js", "browser": {"pure": "cond"}}`,
		"node_modules/swaps/index.js":        `module.exports = require("pure")`,
	})
	for text, want := range map[string]string{
		`import x from 'pure'; export const out = x`:                                                                     "nodemore",
		`import x from 'bound'; export const out = x`:                                                                    "web0nodemore",
		`import { how } from 'cond'; export const out = how`:                                                             "node nodemore",
		`import { how } from 'cond/n'; export const out = how`:                                                           "node nodemore",
		`import { how } from 'condbound'; export const out = how`:                                                        "web",
		`import x from 'outer'; export const out = x`:                                                                    "outer node web0nodemore",
		`import x from 'tries'; export const out = x`:                                                                    "none",
		`import x from 'above'; export const out = x`:                                                                    "above node, client web nodemore",
		`import x from 'lookup'; export const out = x`:                                                                   "lookup web",
		`import x from 'swaps'; export const out = x`:                                                                    "nodemore",
		`import a from 'bound'; import b from 'pure'; import { how } from 'cond'; export const out = [a, b, how].join()`: "web0nodemore,nodemore,node nodemore",
	} {
		if got, err := compileAndRun(t, withModulesApart(t, dir), text); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", text, got, err, want)
		}
	}
	// What is held is told from what is refused.
	for text, want := range map[string][]string{
		`import x from 'asks'; export const out = x`:                              {`"asks node"`, `"node:http#asks"`, `"node:tls:idle#asks"`, `"node:net:idle#agent"`},
		`import x from 'sdk'; export const out = x`:                               {`"sdk node "`, `"node:fs/promises:idle#sdk"`, `"node:os:idle#sdk"`, `"asks node"`},
		`import x from 'slack'; export const out = x`:                             {`"node:fs:idle#slack"`, `"node:os:idle#slack"`, `"node:net#slack"`},
		`import x from 'settings'; export const out = x`:                          {`"settings node"`, `"node:fs:idle#settings"`},
		`import x from 'asks'; import y from 'socket'; export const out = [x, y]`: {`"asks node"`, `"node:net#socket"`, `"node:net:idle#agent"`},
	} {
		p, err := withModules(t, dir).Compile(t.Context(), Source{Name: "pay.ts", Kind: Activity, Text: text})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		for _, part := range want {
			if !strings.Contains(p.Packages.Code, part) {
				t.Errorf("%s: no %s in %s", text, part, p.Packages.Code)
			}
		}
	}
	p, err := withModules(t, dir).Compile(t.Context(), Source{Name: "pay.ts", Kind: Activity, Text: `import x from 'known'; export const out = x`})
	if err != nil || !strings.Contains(p.Packages.Code, `"node"`) || strings.Contains(p.Packages.Code, `"web"`) {
		t.Errorf("known: %v", err)
	}
	// Workflows take what webpack takes in Temporal's own worker.
	p, err = withModules(t, dir).Compile(t.Context(), Source{Name: "order.ts", Kind: Workflow, Text: `import x from 'pure'; export const out = x`})
	if err != nil || !strings.Contains(p.Packages.Code, `"web"`) {
		t.Errorf("in a workflow: %v", err)
	}
}

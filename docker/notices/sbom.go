package main

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"workflow-worker/runtime/bundle/npm"
)

// component is one of a CycloneDX bill.
type component struct {
	Ref      string          `json:"bom-ref"`
	Type     string          `json:"type"`
	Name     string          `json:"name"`
	Version  string          `json:"version"`
	PURL     string          `json:"purl"`
	Licenses []licenceChoice `json:"licenses,omitempty"`
}

type licenceChoice struct {
	Expression string `json:"expression"`
}

// completed adds the npm packages to a bill in JSON, and leaves the rest of it as it is.
func completed(bill []byte, packages []npm.Package) ([]byte, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(bill, &all); err != nil {
		return nil, err
	}
	var list []json.RawMessage
	if string(all["bomFormat"]) != `"CycloneDX"` || json.Unmarshal(all["components"], &list) != nil {
		return nil, errors.New("it is no CycloneDX bill with components")
	}
	for _, p := range packages {
		// A package URL escapes the @ of a scope, and not the slash behind it.
		purl := "pkg:npm/" + strings.ReplaceAll(p.Name, "@", "%40") + "@" + url.PathEscape(p.Version)
		one := component{Ref: purl, Type: "library", Name: p.Name, Version: p.Version, PURL: purl}
		if p.Licence != "" {
			one.Licenses = []licenceChoice{{p.Licence}}
		}
		text, err := json.Marshal(one)
		if err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	var err error
	if all["components"], err = json.Marshal(list); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(all, "", "  ")
	return append(text, '\n'), err
}

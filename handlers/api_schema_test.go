package handlers_test

import (
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// inline puts schemas in the place of references to them: with references
// kin-openapi takes its validator of OpenAPI 3.0, without it that of JSON Schema
// 2020-12, which is the one of 3.1.
func inline(node any, schemas map[string]any) any {
	switch node := node.(type) {
	case []any:
		for i, v := range node {
			node[i] = inline(v, schemas)
		}
	case map[string]any:
		ref, _ := node["$ref"].(string)
		if name, ok := strings.CutPrefix(ref, "#/components/schemas/"); ok {
			return inline(schemas[name], schemas)
		}
		for k, v := range node {
			node[k] = inline(v, schemas)
		}
	}
	return node
}

// undocumented lists the members of a value that no schema knows.
func undocumented(path string, value any, schemas ...*openapi3.Schema) (unknown []string) {
	schemas = parts(schemas)
	switch value := value.(type) {
	case []any:
		var items []*openapi3.Schema
		for _, s := range schemas {
			if s.Items != nil {
				items = append(items, s.Items.Value)
			}
		}
		for _, v := range value {
			unknown = append(unknown, undocumented(path+"[]", v, items...)...)
		}
	case map[string]any:
		for name, v := range value {
			var members []*openapi3.Schema
			open := !slices.ContainsFunc(schemas, func(s *openapi3.Schema) bool { return s.Properties != nil })
			for _, s := range schemas {
				if p := s.Properties[name]; p != nil {
					members = append(members, p.Value)
				}
			}
			if len(members) == 0 && !open {
				unknown = append(unknown, path+"."+name)
			} else if !open {
				unknown = append(unknown, undocumented(path+"."+name, v, members...)...)
			}
		}
	}
	return unknown
}

// parts are schemas with those that they are made of.
func parts(schemas []*openapi3.Schema) (all []*openapi3.Schema) {
	for _, s := range schemas {
		all = append(all, s)
		for _, refs := range []openapi3.SchemaRefs{s.AllOf, s.AnyOf, s.OneOf} {
			for _, ref := range refs {
				all = append(all, parts([]*openapi3.Schema{ref.Value})...)
			}
		}
	}
	return all
}

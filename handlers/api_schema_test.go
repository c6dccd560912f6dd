package handlers_test

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemas are those of the description, by their places in it. kin-openapi would
// compile them for every request, and takes its validator of OpenAPI 3.0 for those
// that have references; this one is that of JSON Schema 2020-12, which is the one of
// OpenAPI 3.1.
type schemas struct{ *jsonschema.Compiler }

func newSchemas(description []byte) (schemas, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(description))
	if err != nil {
		return schemas{}, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	return schemas{compiler}, compiler.AddResource("openapi.json", document)
}

// at returns the schema with this JSON pointer.
func (s schemas) at(t testing.TB, pointer string) *jsonschema.Schema {
	t.Helper()
	schema, err := s.Compile("openapi.json" + pointer)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// escapePointer writes a name or a path into a JSON pointer in a URL.
var escapePointer = strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D", "+", "%2B")

func operationPointer(route *routers.Route) string {
	return "#/paths/" + escapePointer.Replace(route.Path) + "/" + strings.ToLower(route.Method)
}

// request returns the schema of the JSON body of a request.
func (s schemas) request(t testing.TB, route *routers.Route) *jsonschema.Schema {
	t.Helper()
	return s.at(t, operationPointer(route)+"/requestBody/content/application~1json/schema")
}

// answer returns the schema of the body of an answer.
func (s schemas) answer(t testing.TB, route *routers.Route, response *http.Response) *jsonschema.Schema {
	t.Helper()
	pointer := route.Operation.Responses.Status(response.StatusCode).Ref
	if pointer == "" {
		pointer = fmt.Sprintf("%s/responses/%d", operationPointer(route), response.StatusCode)
	}
	return s.at(t, pointer+"/content/"+escapePointer.Replace(response.Header.Get("Content-Type"))+"/schema")
}

// allows reports whether a schema allows a JSON text.
func allows(schema *jsonschema.Schema, text string) bool {
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	return err == nil && schema.Validate(value) == nil
}

// parsed returns the value of a JSON text; nil if it is none.
func parsed(text []byte) any {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil
	}
	return value
}

// isJSON reports whether a header announces a JSON body.
func isJSON(header http.Header) bool {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return kind == "application/json"
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

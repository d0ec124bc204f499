// crv.core._core: what crv.core takes from the C++ core. No logic here; python/crv/core/_core.pyi tells what
// each is.
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "crv/core/constants.h"
#include "crv/core/error.h"
#include "crv/core/grammar.h"
#include "crv/core/hashing.h"
#include "crv/core/ids.h"
#include "crv/core/rules.h"
#include "crv/core/serde.h"
#include "crv/core/versioning.h"
#include "errors.h"

namespace crv::python {

namespace nb = nanobind;

namespace {

// A lone surrogate, which has no UTF-8, becomes \udxxx: no rule lets that through.
std::string utf8(const nb::str& text) {
  const auto bytes = nb::steal<nb::bytes>(PyUnicode_AsEncodedString(text.ptr(), "utf-8", "backslashreplace"));
  if (!bytes.is_valid()) nb::raise_python_error();
  return {bytes.c_str(), bytes.size()};
}

nb::tuple tuple_of(const std::vector<std::string>& texts) {
  nb::list list;
  for (const std::string& text : texts) list.append(text);
  return nb::tuple(list);
}

nb::list parse_grammar(const std::string& text) {
  const core::ParsedGrammar grammar = core::ParsedGrammar::from_text(text);
  nb::list productions;
  for (const core::GrammarProduction& production : grammar.productions()) {
    productions.append(nb::make_tuple(production.name, production.expression,
                                      tuple_of(production.alternatives),
                                      tuple_of(production.leading_terminals)));
  }
  return productions;
}

const core::ModelRules& rules_of(const std::string& model) {
  const core::ModelRules* rules = core::find_model_rules(model);
  if (!rules) raise(ErrorCode::schema_rule, "There is no model " + model);
  return *rules;
}

template <class Model>
std::string normalized(const JsonObject& object) {
  return write_json(core::to_json(core::from_json<Model>(object)));
}

std::string normalize_model(const std::string& model, const std::string& text) {
  const Json json = parse_json(text);
  const JsonObject* object = json.get_if<JsonObject>();
  if (!object) core::internal::raise_wrong_type(json, "", "an object");
#define CRV_NORMALIZE(name) \
  if (model == #name) return normalized<core::name>(*object);
  CRV_MODELS(CRV_NORMALIZE)
#undef CRV_NORMALIZE
  raise(ErrorCode::schema_rule, "There is no model " + model);
}

void bind_grammar(nb::module_& m) {
  m.def("is_lower_snake", [](const nb::str& text) { return core::is_lower_snake(utf8(text)); });
  m.def("assert_lower_snake",
        [](const nb::str& text, const nb::str& what) { core::assert_lower_snake(utf8(text), utf8(what)); });
  m.def("action_kind_from_value",
        [](const nb::str& text) { return core::value_of(core::action_kind_from_value(utf8(text))); });
  m.def("exchange_kind_from_value",
        [](const nb::str& text) { return core::value_of(core::exchange_kind_from_value(utf8(text))); });
  m.def("edge_kind_from_value",
        [](const nb::str& text) { return core::value_of(core::edge_kind_from_value(utf8(text))); });
  m.def("normalize_visibility", [](const nb::str& text) { return core::normalize_visibility(utf8(text)); });
  m.def("normalize_channel_type",
        [](const nb::str& text) { return core::normalize_channel_type(utf8(text)); });
  m.def("canonical_action_key", [](const std::string& kind, const std::map<std::string, std::string>& texts) {
    JsonObject parameters;
    for (const auto& [name, text] : texts) parameters.push_back(name, text);
    return core::canonical_action_key(core::action_kind_from_value(kind), parameters);
  });
  m.def("parse_grammar", parse_grammar);
  m.def("check_grammar",
        [](const std::string& text) { core::check_grammar(core::ParsedGrammar::from_text(text)); });
}

void bind_models(nb::module_& m) {
  m.def("normalize_text", [](const std::string& model, const std::string& field, const nb::str& text) {
    return core::normalize_text(rules_of(model), field, utf8(text));
  });
  m.def("check_needs", [](const std::string& model, const std::map<std::string, std::string>& texts) {
    core::check_needs(rules_of(model), texts);
  });
  m.def("normalize_model", normalize_model);
  m.def("canonical_json", [](const std::string& text) { return core::canonical_json(parse_json(text)); });
}

void bind_versions_and_ids(nb::module_& m) {
  m.def("make_run_id", [](const nb::str& prefix) { return core::make_run_id(utf8(prefix)); });
  m.def("schema_version", [] {
    const core::SchemaVersion& version = core::schema_version();
    return std::tuple(version.major, version.minor, version.date);
  });
  m.def("check_version",
        [](int major, int minor, const nb::str& date) { core::SchemaVersion(major, minor, utf8(date)); });
  m.def("is_compatible", [](int major, int minor, const std::string& date) {
    return core::is_compatible(core::SchemaVersion(major, minor, date));
  });
  using Version = std::tuple<int, int, std::string>;
  m.def("is_successor_of", [](const Version& candidate, const Version& current) {
    return core::is_successor_of(std::make_from_tuple<core::SchemaVersion>(candidate),
                                 std::make_from_tuple<core::SchemaVersion>(current));
  });
  m.attr("TICK_BUCKET_SIZE") = core::tick_bucket_size;
  m.attr("ROW_GROUP_SIZE") = core::row_group_size;
  m.attr("COMPRESSION") = core::compression;
}

}  // namespace

NB_MODULE(_core, m) {
  nb::set_leak_warnings(false);  // what a program still holds at its end goes with the process
  translate_errors();
  bind_grammar(m);
  bind_models(m);
  bind_versions_and_ids(m);
}

}  // namespace crv::python

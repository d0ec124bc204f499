#include "crv/core/grammar.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "crv/core/error.h"
#include "crv/core/hashing.h"

namespace crv::core {

bool is_lower_snake(std::string_view text) noexcept {
  char before = '_';
  for (const char c : text) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!word && (c != '_' || before == '_')) return false;
    before = c;
  }
  return before != '_';
}

void assert_lower_snake(std::string_view text, std::string_view what) {
  if (is_lower_snake(text)) return;
  raise(ErrorCode::grammar,
        std::string(what) + " must be lower_snake (a-z, 0-9, single underscores between), not `" +
            std::string(text) + "`",
        {.key = std::string(what), .value = std::string(text)});
}

void internal::raise_not_a_value(std::string_view value, std::string_view what,
                                 std::vector<std::string_view> allowed) {
  std::ranges::sort(allowed);
  raise(ErrorCode::grammar,
        std::string(what) + " must be one of " + join(allowed) + ", not `" + std::string(value) + "`",
        {.key = std::string(what), .value = std::string(value)});
}

namespace {

template <class E>
E checked_value(std::string_view value, std::string_view what) {
  assert_lower_snake(value, what);
  return parse_value<E>(value, what);
}

template <class E>
EnumDescriptor describe() {
  EnumDescriptor descriptor{EnumTable<E>::name, {}};
  for (const auto& entry : EnumTable<E>::members) descriptor.members.push_back({entry.name, entry.value});
  return descriptor;
}

template <class E>
std::string normalize(std::string_view text, std::string_view what) {
  return std::string(value_of(parse_value<E>(fold_case(text), what)));
}

}  // namespace

ActionKind action_kind_from_value(std::string_view value) {
  return checked_value<ActionKind>(value, "action_type");
}
ExchangeKind exchange_kind_from_value(std::string_view value) {
  return checked_value<ExchangeKind>(value, "exchange_event_type");
}
RepresentationEdgeKind edge_kind_from_value(std::string_view value) {
  return checked_value<RepresentationEdgeKind>(value, "edge_kind");
}

const std::vector<EnumDescriptor>& list_enums() {
#define CRV_DESCRIBE(name) describe<name>(),
  static const std::vector<EnumDescriptor> enums = {CRV_ENUMS(CRV_DESCRIBE)};
#undef CRV_DESCRIBE
  return enums;
}

void ensure_all_enum_values_lower_snake(std::span<const EnumDescriptor> enums) {
  for (const EnumDescriptor& descriptor : enums)
    for (const EnumDescriptor::Member& member : descriptor.members)
      assert_lower_snake(member.value, std::string(descriptor.name) + "." + std::string(member.name));
}

std::string normalize_visibility(std::string_view text) {
  return normalize<Visibility>(text, "visibility_scope");
}
std::string normalize_channel_type(std::string_view text) {
  return normalize<ChannelType>(text, "channel_type");
}

namespace {

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\' || c == '|' || c == '=') out += '\\';
    out += c;
  }
}

std::string python_text(const Json& value) {
  if (value.is_null()) return "None";
  if (const bool* flag = value.get_if<bool>()) return *flag ? "True" : "False";
  if (const std::string* text = value.get_if<std::string>()) return *text;
  if (const double* number = value.get_if<double>(); number && !std::isfinite(*number))
    return std::isnan(*number) ? "nan" : *number > 0 ? "inf" : "-inf";
  return canonical_json(value);
}

}  // namespace

std::string canonical_action_key(ActionKind kind, const JsonObject& parameters) {
  std::vector<const JsonMember*> sorted;
  for (const JsonMember& parameter : parameters) sorted.push_back(&parameter);
  std::ranges::sort(sorted, {}, &JsonMember::first);
  std::string key(value_of(kind));
  char separator = ':';
  for (const JsonMember* parameter : sorted) {
    key += separator;
    append_escaped(key, parameter->first);
    key += '=';
    append_escaped(key, python_text(parameter->second));
    separator = '|';
  }
  return key;
}

}  // namespace crv::core

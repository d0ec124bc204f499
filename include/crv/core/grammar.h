// The grammar: words, enums by value and name, action keys, and the EBNF text with a reader for it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crv/core/grammar_enums.h"
#include "crv/core/json.h"

namespace crv::core {

// One or more groups of a-z and 0-9, joined by single underscores. ASCII only; may start with a digit.
bool is_lower_snake(std::string_view text) noexcept;
// Throws GrammarError (grammar) naming `what` and the text.
void assert_lower_snake(std::string_view text, std::string_view what = "value");

// Enums
// ---------------------------------------------------------------------------------------------------------

// What stands in rows and files, e.g. "gift_token".
template <class E>
constexpr std::string_view value_of(E member) noexcept {
  return EnumTable<E>::members[static_cast<std::size_t>(member)].value;
}

// The name that it has in code, e.g. "GIFT_TOKEN".
template <class E>
constexpr std::string_view member_name(E member) noexcept {
  return EnumTable<E>::members[static_cast<std::size_t>(member)].name;
}

// Nothing where no member has that value. No case folding, no trimming.
template <class E>
constexpr std::optional<E> from_value(std::string_view value) noexcept {
  for (const auto& entry : EnumTable<E>::members)
    if (entry.value == value) return entry.member;
  return std::nullopt;
}

// Nothing where no member has that name.
template <class E>
constexpr std::optional<E> from_name(std::string_view name) noexcept {
  for (const auto& entry : EnumTable<E>::members)
    if (entry.name == name) return entry.member;
  return std::nullopt;
}

// The member with that value. Throws GrammarError (grammar) naming `what`, the text and the values there are.
template <class E>
E parse_value(std::string_view value, std::string_view what = EnumTable<E>::name);

ActionKind action_kind_from_value(std::string_view value);
ExchangeKind exchange_kind_from_value(std::string_view value);
RepresentationEdgeKind edge_kind_from_value(std::string_view value);

// An enum as a value: for lists, choices and checks that go over all of them.
struct EnumDescriptor {
  struct Member {
    std::string_view name, value;
  };
  std::string_view name;
  std::vector<Member> members;  // in order of declaration
};
// Every enum, in order. The references live as long as the program.
const std::vector<EnumDescriptor>& list_enums();
// Throws GrammarError (grammar) naming the first value that is not lower_snake.
void ensure_all_enum_values_lower_snake(std::span<const EnumDescriptor> enums = list_enums());

// Lower-cases and checks against the enum's values. Throws GrammarError (grammar) listing them, sorted.
std::string normalize_visibility(std::string_view text);
std::string normalize_channel_type(std::string_view text);

// "gift_token:quantity=1|token_id=T": the same for equal actions. Parameters are sorted by code point. `\`,
// `|` and `=` in names and values have a backslash before them, so different parameters never give the same
// key, save that types are not told apart: 1 and "1" give the same. null, true and false are None, True and
// False; floats are as Python writes them; arrays and objects as canonical JSON.
std::string canonical_action_key(ActionKind kind, const JsonObject& parameters = {});

// EBNF
// ----------------------------------------------------------------------------------------------------------

struct GrammarProduction {
  std::string name;
  std::string expression;                 // between `=` and `;`, trimmed, without comments
  std::vector<std::string> alternatives;  // split at `|` outside quotes and brackets, trimmed, none empty
  // The first quoted text found anywhere in each alternative, each once. Not always where the alternative
  // begins: Number has "-".
  std::vector<std::string> leading_terminals;

  std::vector<std::string> lower_snake_terminals() const;  // leading terminals that are lower_snake
};

// Productions of an EBNF text in order. Not a full reader of EBNF: a rule begins at the start of a line and
// ends at the next `;`, quoted or not; what is no rule is passed over. Of two rules of one name the later one
// counts.
class ParsedGrammar {
 public:
  static ParsedGrammar from_text(std::string_view text);

  const std::vector<GrammarProduction>& productions() const { return productions_; }
  const GrammarProduction* find(std::string_view name) const noexcept;  // nullptr where there is none
  // Throws GrammarError (grammar) where there is none.
  const GrammarProduction& production(std::string_view name) const;
  std::vector<std::string> lower_snake_terminals(std::string_view name) const;

 private:
  std::vector<GrammarProduction> productions_;
};

// The text of catalog/core.ebnf.
std::string_view ebnf_grammar() noexcept;
// That text, parsed and checked once.
const ParsedGrammar& parsed_grammar();
// `action_request` and `patch_edit` must name the values of ActionKind and PatchOp in order. Throws
// GrammarError (grammar) saying what is missing, unexpected, or out of order.
void check_grammar(const ParsedGrammar& grammar);

namespace internal {
[[noreturn]] void raise_not_a_value(std::string_view value, std::string_view what,
                                    std::vector<std::string_view> allowed);
}

template <class E>
E parse_value(std::string_view value, std::string_view what) {
  if (const auto member = from_value<E>(value)) return *member;
  std::vector<std::string_view> allowed;
  for (const auto& entry : EnumTable<E>::members) allowed.push_back(entry.value);
  internal::raise_not_a_value(value, what, std::move(allowed));
}

}  // namespace crv::core

// Reading the EBNF text as far as crv needs it. The rules of reading are those of GrammarProduction and
// ParsedGrammar.
#include <algorithm>
#include <optional>

#include "core/text.h"
#include "crv/core/error.h"
#include "crv/core/grammar.h"

namespace crv::core {
namespace {

constexpr std::string_view kQuotes = "\"'";

bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

std::string without_comments(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t open = text.find("(*");
    const std::size_t close = open == std::string_view::npos ? open : text.find("*)", open + 2);
    if (close == std::string_view::npos) return out.append(text);
    out.append(text.substr(0, open)).append(" ");
    text.remove_prefix(close + 2);
  }
}

// Leaves `text` as it was where no rule begins at its start.
std::optional<GrammarProduction> take_rule(std::string_view& text) {
  std::size_t at = 0;
  const auto skip_blanks = [&] {
    while (at < text.size() && is_blank(text[at])) ++at;
  };
  skip_blanks();
  const std::size_t name = at;
  while (at < text.size() && (is_letter(text[at]) || (at > name && text[at] >= '0' && text[at] <= '9'))) ++at;
  const std::size_t name_end = at;
  skip_blanks();
  if (name_end == name || at == text.size() || text[at] != '=') return std::nullopt;
  const std::size_t end = text.find(';', at);
  if (end == std::string_view::npos) return std::nullopt;
  GrammarProduction production;
  production.name = text.substr(name, name_end - name);
  production.expression = trim(text.substr(at + 1, end - at - 1));
  text.remove_prefix(end + 1);
  return production;
}

std::vector<std::string> split_alternatives(std::string_view expression) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  int depth = 0;
  char quote = '\0';
  const auto add = [&](std::size_t end) {
    const std::string_view part = trim(expression.substr(start, end - start));
    if (!part.empty()) parts.emplace_back(part);
    start = end + 1;
  };
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const char c = expression[i];
    if (quote != '\0') {
      if (c == '\\')
        ++i;
      else if (c == quote)
        quote = '\0';
    } else if (kQuotes.find(c) != std::string_view::npos) {
      quote = c;
    } else if (c == '(' || c == '[' || c == '{') {
      ++depth;
    } else if (c == ')' || c == ']' || c == '}') {
      depth = std::max(0, depth - 1);
    } else if (c == '|' && depth == 0) {
      add(i);
    }
  }
  add(expression.size());
  return parts;
}

// Text between two quote characters of either kind that holds neither: the first such one.
std::optional<std::string> first_terminal(std::string_view alternative) {
  std::size_t open = alternative.find_first_of(kQuotes);
  while (open != std::string_view::npos) {
    const std::size_t close = alternative.find_first_of(kQuotes, open + 1);
    if (close == std::string_view::npos) return std::nullopt;
    if (close > open + 1) return std::string(alternative.substr(open + 1, close - open - 1));
    open = close;
  }
  return std::nullopt;
}

// Says how the terminals of a production differ from the values of an enum, where they do.
template <class E>
void check_values(const ParsedGrammar& grammar, std::string_view name) {
  const std::vector<std::string> found = grammar.lower_snake_terminals(name);
  std::vector<std::string> expected;
  for (const auto& entry : EnumTable<E>::members) expected.emplace_back(entry.value);
  if (found == expected) return;
  const auto absent_in = [](const std::vector<std::string>& texts, const std::vector<std::string>& other) {
    std::vector<std::string> absent;
    std::ranges::copy_if(texts, std::back_inserter(absent), [&](const std::string& text) {
      return std::ranges::find(other, text) == other.end();
    });
    return absent;
  };
  const auto missing = absent_in(expected, found), unexpected = absent_in(found, expected);
  std::string difference;
  if (!missing.empty()) difference += "; missing: " + join(missing);
  if (!unexpected.empty()) difference += "; unexpected: " + join(unexpected);
  if (difference.empty()) difference = "; their order differs";
  raise(ErrorCode::grammar,
        "The grammar's " + std::string(name) + " and the enum " + std::string(EnumTable<E>::name) +
            " must list the same values in the same order" + difference,
        {.key = std::string(name)});
}

}  // namespace

std::vector<std::string> GrammarProduction::lower_snake_terminals() const {
  std::vector<std::string> terminals;
  std::ranges::copy_if(leading_terminals, std::back_inserter(terminals), is_lower_snake);
  return terminals;
}

ParsedGrammar ParsedGrammar::from_text(std::string_view text) {
  ParsedGrammar grammar;
  const std::string bare = without_comments(text);
  std::string_view rest = bare;
  while (!rest.empty()) {
    if (auto production = take_rule(rest)) {
      production->alternatives = split_alternatives(production->expression);
      for (const std::string& alternative : production->alternatives) {
        auto& terminals = production->leading_terminals;
        auto terminal = first_terminal(alternative);
        if (terminal && std::ranges::find(terminals, *terminal) == terminals.end())
          terminals.push_back(std::move(*terminal));
      }
      const auto known = std::ranges::find(grammar.productions_, production->name, &GrammarProduction::name);
      if (known == grammar.productions_.end())
        grammar.productions_.push_back(std::move(*production));
      else
        *known = std::move(*production);
    }
    const std::size_t line = rest.find('\n');
    rest = line == std::string_view::npos ? std::string_view() : rest.substr(line + 1);
  }
  return grammar;
}

const GrammarProduction* ParsedGrammar::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(productions_, name, &GrammarProduction::name);
  return found == productions_.end() ? nullptr : &*found;
}

const GrammarProduction& ParsedGrammar::production(std::string_view name) const {
  if (const GrammarProduction* found = find(name)) return *found;
  raise(ErrorCode::grammar, "The grammar has no production `" + std::string(name) + "`",
        {.key = "production", .value = std::string(name)});
}

std::vector<std::string> ParsedGrammar::lower_snake_terminals(std::string_view name) const {
  return production(name).lower_snake_terminals();
}

void check_grammar(const ParsedGrammar& grammar) {
  check_values<ActionKind>(grammar, "action_request");
  check_values<PatchOp>(grammar, "patch_edit");
}

const ParsedGrammar& parsed_grammar() {
  static const ParsedGrammar grammar = [] {
    ParsedGrammar parsed = ParsedGrammar::from_text(ebnf_grammar());
    check_grammar(parsed);
    return parsed;
  }();
  return grammar;
}

}  // namespace crv::core

#include "crv/core/suggest.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <tuple>
#include <utility>

#include "core/text.h"
#include "crv/core/descriptor.h"
#include "crv/core/shown.h"

namespace crv {
namespace {

constexpr std::size_t kMostNames = 3;
constexpr std::size_t kLongestName = 64;    // longer ones are not typed
constexpr std::size_t kLeastBeginning = 3;  // characters that begin a name without being far from it

// Insertions, deletions, replacements, and swaps of neighbors that make `b` of `a`; `limit` + 1 where it
// takes more than `limit`.
std::size_t distance(std::string_view a, std::string_view b, std::size_t limit) {
  const std::size_t longer = std::max(a.size(), b.size()), shorter = std::min(a.size(), b.size());
  if (longer - shorter > limit) return limit + 1;
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return std::min(last[b.size()], limit + 1);
}

bool begins(std::string_view whole, std::string_view beginning) {
  return beginning.size() >= kLeastBeginning && whole.starts_with(beginning);
}

}  // namespace

std::vector<std::string> near_names(std::string_view given, const std::vector<std::string>& known) {
  if (given.empty() || given.size() > kLongestName) return {};
  const std::string folded = core::fold_case(given);
  const std::size_t limit = std::max<std::size_t>(1, folded.size() / 3);
  std::vector<std::tuple<std::size_t, std::string>> found;
  for (const std::string& name : known) {
    const std::string other = core::fold_case(name);
    std::size_t steps = distance(folded, other, limit);
    if (steps > limit && (begins(other, folded) || begins(folded, other))) steps = limit;
    const bool all_replaced = steps >= std::max(folded.size(), other.size());  // "a" is not a slip of "b"
    if (steps <= limit && (steps == 0 || !all_replaced)) found.emplace_back(steps, name);
  }
  std::ranges::stable_sort(found, {}, [](const auto& entry) { return std::get<0>(entry); });
  std::vector<std::string> names;
  for (auto& [steps, name] : found)
    if (names.size() < kMostNames) names.push_back(std::move(name));
  return names;
}

std::string did_you_mean(std::string_view given, const std::vector<std::string>& known,
                         std::string_view otherwise) {
  const std::vector<std::string> names = near_names(given, known);
  if (names.empty()) return std::string(otherwise);
  std::string text = "; did you mean ";
  for (std::size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "\"" : i + 1 == names.size() ? " or \"" : ", \"") + shortened(names[i]) + '"';
  return text + "?";
}

namespace core {

std::string no_such_table(std::string_view name, const std::vector<std::string>& own) {
  std::vector<std::string> canonical, all;
  for (const TableDescriptor& table : list_tables()) canonical.push_back(table.name);
  canonical.insert(canonical.end(), own.begin(), own.end());
  all = canonical;
  for (const TableDescriptor& table : list_internal_tables()) all.push_back(table.name);
  return "There is no table \"" + printable(shortened(name)) + '"' + did_you_mean(name, all, ".") +
         " The tables are: " + join(canonical) + ".";
}

}  // namespace core

}  // namespace crv

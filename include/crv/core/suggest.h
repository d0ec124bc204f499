// "did you mean": the names that a wrong one may stand for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace crv {

// Of `known` those that `given` is a few slips of the keyboard away from, or the beginning of, nearest first:
// three at the most. Case does not count.
std::vector<std::string> near_names(std::string_view given, const std::vector<std::string>& known);

// "; did you mean \"holdings\"?", or `otherwise` where no name is near: the end of a sentence that says that
// there is no such name.
std::string did_you_mean(std::string_view given, const std::vector<std::string>& known,
                         std::string_view otherwise = "");

namespace core {

// Says that no table has this name, and which tables there are: the canonical ones, and those of the user's own
// that a run holds.
std::string no_such_table(std::string_view name, const std::vector<std::string>& own = {});

}  // namespace core

}  // namespace crv

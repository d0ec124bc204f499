// Checks of single values, over whole arrays: each calls `found` for the values that break a rule, in
// ascending order of their rows. A null breaks none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

namespace crv::io {

// The values of a column of a batch, or of a path inside it.
struct Cells {
  const arrow::Array& values;
  std::function<std::int64_t(std::int64_t)> row_of{};  // row of value i; empty: i
  std::function<bool(std::int64_t)> counts{};          // false for a value below a null; empty: all count

  std::int64_t row(std::int64_t i) const { return row_of ? row_of(i) : i; }
  bool counted(std::int64_t i) const { return !counts || counts(i); }
};

using Found = std::function<void(std::int64_t row)>;

// A small set of texts.
class Words {
 public:
  explicit Words(const std::vector<std::string>& words);

  bool empty() const { return words_.empty(); }
  // Index of the text in the list that this was made of; -1 where it is none of them.
  std::ptrdiff_t index_of(std::string_view text) const;

 private:
  std::size_t slot_of(std::string_view text) const;

  std::vector<std::string> words_;
  // Index of the only word of each slot, -1 for a slot without; empty where no factor keeps words apart.
  std::vector<std::int16_t> slots_;
  std::size_t factor_ = 0;  // of slot_of()
};

// What a text must satisfy.
struct TextRules {
  Words model_words, column_words;  // empty: any text
  bool fold = false;                // lower case counts for model_words
  bool lower_snake = false;
  bool column_words_are_lower_snake = false;
  bool not_empty = false;
};
struct TextFindings {
  Found not_model_word, not_lower_snake, not_column_word, empty;
};
inline constexpr std::uint8_t kNoWord = 255;
// True where a text is good once it is folded and would change by that. `words`, where given, has an entry a
// value, kNoWord at first, and gets the index of the model word that a value is.
bool check_texts(const Cells& cells, const TextRules& rules, const TextFindings& found,
                 std::vector<std::uint8_t>* words = nullptr);

// Numbers of int64 and double arrays.
void find_out_of_range(const Cells& cells, std::optional<double> min, std::optional<double> max,
                       const Found& found);
void find_not_finite(const Cells& cells, const Found& found);
// Whatever number_of() of the core does not take for a number.
void find_no_number(const Cells& cells, const Found& found);

void find_null(const Cells& cells, const Found& found);
void find_any(const Cells& cells, const Found& found);  // everything but null

// Rows that lack a text where the word in another column asks for it. `kinds`: that word of each row, as
// check_texts() tells it. `needed`: by word, one bit for each of `columns`, which are up to 8; nullptr for
// one that is absent. `found` gets the kind and the bits that are missing.
void find_missing(const std::vector<std::uint8_t>& kinds, const std::vector<std::uint8_t>& needed,
                  const std::vector<const arrow::Array*>& columns,
                  const std::function<void(std::int64_t row, std::size_t kind, std::uint8_t missing)>& found);

}  // namespace crv::io

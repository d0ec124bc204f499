#include "io/rules/cell_checks.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <arrow/array.h>
#include <arrow/util/bit_util.h>

#include "core/numbers.h"
#include "core/text.h"
#include "crv/core/grammar.h"
#include "io/arrow/text_array.h"

namespace crv::io {

namespace {

// Validity of an array's values; cheap where there is no null.
class Valid {
 public:
  explicit Valid(const arrow::Array& array)
      : bits_(array.null_count() == 0 ? nullptr : array.null_bitmap_data()), offset_(array.offset()) {}
  bool operator()(std::int64_t i) const {
    return bits_ == nullptr || arrow::bit_util::GetBit(bits_, offset_ + i);
  }

 private:
  const std::uint8_t* bits_;
  std::int64_t offset_;
};

// Two passes: the first only asks whether there is anything to find, nulls apart, and is a plain loop.
template <class Bad>
void find(const Cells& cells, const Bad& bad, const Found& found) {
  const std::int64_t length = cells.values.length();
  bool any = false;
  for (std::int64_t i = 0; i < length; ++i) any |= bad(i);
  if (!any) return;
  const Valid valid(cells.values);
  for (std::int64_t i = 0; i < length; ++i)
    if (bad(i) && valid(i) && cells.counted(i)) found(cells.row(i));
}

enum Verdict : unsigned {
  kGood = 0,
  kNotModelWord = 1,
  kNotLowerSnake = 2,
  kNotColumnWord = 4,
  kEmpty = 8,
  kFolds = 16,
};

// `word`: the model word that the text is, or -1.
unsigned judge(std::string_view text, const TextRules& rules, std::ptrdiff_t& word) {
  unsigned verdict = kGood;
  word = rules.model_words.index_of(text);
  if (!rules.model_words.empty() && word < 0) {
    const std::string folded = rules.fold ? core::fold_case(text) : std::string();
    const bool good = rules.fold && rules.model_words.index_of(folded) >= 0;
    verdict |= good ? kFolds : kNotModelWord;
  }
  bool known = false;
  if (!rules.column_words.empty()) {
    known = rules.column_words.index_of(text) >= 0;
    if (!known) verdict |= kNotColumnWord;
  }
  const bool surely_snake = known && rules.column_words_are_lower_snake;
  if (rules.lower_snake && rules.model_words.empty() && !surely_snake && !core::is_lower_snake(text))
    verdict |= kNotLowerSnake;
  if (rules.not_empty && text.empty() && verdict == kGood) verdict |= kEmpty;
  return verdict;
}

template <class Texts>
bool judge_all(const Texts& texts, const Cells& cells, const TextRules& rules, const TextFindings& found,
               std::vector<std::uint8_t>* words) {
  const Valid valid(texts);
  std::string_view last;
  unsigned verdict = kGood;
  std::ptrdiff_t word = -1;
  bool judged = false, folds = false;
  for (std::int64_t i = 0; i < texts.length(); ++i) {
    if (!valid(i)) continue;
    const std::string_view text = texts.GetView(i);
    if (!judged || text != last) {
      verdict = judge(text, rules, word);
      last = text;
      judged = true;
    }
    if (words && word >= 0) (*words)[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(word);
    if (verdict == kGood || !cells.counted(i)) continue;
    const std::int64_t row = cells.row(i);
    folds |= (verdict & kFolds) != 0;
    if ((verdict & kNotModelWord) != 0) found.not_model_word(row);
    if ((verdict & kNotLowerSnake) != 0) found.not_lower_snake(row);
    if ((verdict & kNotColumnWord) != 0) found.not_column_word(row);
    if ((verdict & kEmpty) != 0) found.empty(row);
  }
  return folds;
}

// Lengths of texts, without looking at them.
template <class Offset>
auto lengths_of(const arrow::Array& texts, const Offset*) {
  return [offsets = texts.data()->GetValues<Offset>(1)](std::int64_t i) {
    return static_cast<std::int64_t>(offsets[i + 1] - offsets[i]);
  };
}

template <class Then>
void with_lengths(const arrow::Array& texts, const Then& then) {
  if (texts.type_id() == arrow::Type::STRING) {
    then(lengths_of<std::int32_t>(texts, nullptr));
  } else if (texts.type_id() == arrow::Type::LARGE_STRING) {
    then(lengths_of<std::int64_t>(texts, nullptr));
  } else if (texts.type_id() == arrow::Type::STRING_VIEW) {
    const auto* views = texts.data()->GetValues<arrow::BinaryViewType::c_type>(1);
    then([views](std::int64_t i) { return static_cast<std::int64_t>(views[i].size()); });
  }
}

template <class Number>
void find_outside(const Cells& cells, Number min, Number max, const Found& found) {
  const auto* values = cells.values.data()->GetValues<Number>(1);
  // Written so that NaN is outside.
  find(
      cells, [=](std::int64_t i) { return !(values[i] >= min && values[i] <= max); }, found);
}

}  // namespace

Words::Words(const std::vector<std::string>& words) : words_(words) {
  for (std::size_t slots = 64; slots <= 4096; slots *= 2) {
    for (factor_ = 1; factor_ < 64; ++factor_) {
      slots_.assign(slots, -1);
      const auto place = [&](std::size_t i) {
        return std::exchange(slots_[slot_of(words_[i])], static_cast<std::int16_t>(i)) < 0;
      };
      std::size_t placed = 0;
      while (placed < words_.size() && place(placed)) ++placed;
      if (placed == words_.size()) return;
    }
  }
  slots_.clear();
}

// Its length and four of its letters tell a word from the others.
std::size_t Words::slot_of(std::string_view text) const {
  const std::size_t size = text.size();
  std::size_t hash = size;
  if (size > 0)
    for (const std::size_t at : {std::size_t{0}, size / 3, size / 2, size - 1})
      hash = hash * factor_ + static_cast<unsigned char>(text[at]);
  return (hash ^ (hash >> 7U)) & (slots_.size() - 1);
}

std::ptrdiff_t Words::index_of(std::string_view text) const {
  if (words_.empty()) return -1;
  if (slots_.empty()) {
    const auto found = std::ranges::find(words_, text);
    return found == words_.end() ? -1 : found - words_.begin();
  }
  const std::ptrdiff_t index = slots_[slot_of(text)];
  return index >= 0 && words_[static_cast<std::size_t>(index)] == text ? index : -1;
}

bool check_texts(const Cells& cells, const TextRules& rules, const TextFindings& found,
                 std::vector<std::uint8_t>* words) {
  const bool only_length = rules.model_words.empty() && rules.column_words.empty() && !rules.lower_snake;
  bool folds = false;
  if (only_length) {
    if (rules.not_empty) {
      with_lengths(cells.values, [&](const auto& length) {
        find(
            cells, [&](std::int64_t i) { return length(i) == 0; }, found.empty);
      });
    }
    return false;
  }
  with_text(cells.values, [&](const auto& texts) { folds = judge_all(texts, cells, rules, found, words); });
  return folds;
}

void find_out_of_range(const Cells& cells, std::optional<double> min, std::optional<double> max,
                       const Found& found) {
  if (cells.values.type_id() == arrow::Type::DOUBLE) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    find_outside<double>(cells, min.value_or(-kInfinity), max.value_or(kInfinity), found);
  } else if (cells.values.type_id() == arrow::Type::INT64) {
    find_outside<std::int64_t>(cells, min ? static_cast<std::int64_t>(std::ceil(*min)) : INT64_MIN,
                               max ? static_cast<std::int64_t>(std::floor(*max)) : INT64_MAX, found);
  }
}

void find_not_finite(const Cells& cells, const Found& found) {
  if (cells.values.type_id() != arrow::Type::DOUBLE) return;
  const auto* values = cells.values.data()->GetValues<double>(1);
  find(
      cells, [values](std::int64_t i) { return !std::isfinite(values[i]); }, found);
}

void find_no_number(const Cells& cells, const Found& found) {
  switch (cells.values.type_id()) {
    case arrow::Type::NA:
    case arrow::Type::BOOL:
    case arrow::Type::INT64:
    case arrow::Type::DOUBLE:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
      return;
    default:
      break;
  }
  const Valid valid(cells.values);
  const bool text = with_text(cells.values, [&](const auto& texts) {
    for (std::int64_t i = 0; i < texts.length(); ++i)
      if (valid(i) && cells.counted(i) && !core::read_double(texts.GetView(i))) found(cells.row(i));
  });
  if (!text) find_any(cells, found);
}

void find_null(const Cells& cells, const Found& found) {
  if (cells.values.null_count() == 0) return;
  for (std::int64_t i = 0; i < cells.values.length(); ++i)
    if (cells.values.IsNull(i) && cells.counted(i)) found(cells.row(i));
}

void find_any(const Cells& cells, const Found& found) {
  for (std::int64_t i = 0; i < cells.values.length(); ++i)
    if (!cells.values.IsNull(i) && cells.counted(i)) found(cells.row(i));
}

void find_missing(const std::vector<std::uint8_t>& kinds, const std::vector<std::uint8_t>& needed,
                  const std::vector<const arrow::Array*>& columns,
                  const std::function<void(std::int64_t, std::size_t, std::uint8_t)>& found) {
  const std::size_t length = kinds.size();
  std::vector<std::uint8_t> missing(length);
  for (std::size_t i = 0; i < length; ++i) missing[i] = kinds[i] == kNoWord ? 0 : needed[kinds[i]];
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (!columns[c]) continue;
    const Valid valid(*columns[c]);
    const auto bit = static_cast<std::uint8_t>(1U << c);
    with_lengths(*columns[c], [&](const auto& text_length) {
      for (std::size_t i = 0; i < length; ++i) {
        const auto at = static_cast<std::int64_t>(i);
        const bool given = text_length(at) > 0 && valid(at);
        missing[i] = static_cast<std::uint8_t>(missing[i] & ~(given ? bit : 0U));
      }
    });
  }
  for (std::size_t i = 0; i < length; ++i)
    if (missing[i] != 0) found(static_cast<std::int64_t>(i), kinds[i], missing[i]);
}

}  // namespace crv::io

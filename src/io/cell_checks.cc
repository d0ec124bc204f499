#include "io/cell_checks.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include <arrow/array.h>
#include <arrow/util/bit_util.h>

#include "core/numbers.h"
#include "core/text.h"
#include "crv/core/grammar.h"
#include "io/text_array.h"

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
  for (std::int64_t i = 0; i < length; ++i) {
    if (bad(i) && valid(i) && cells.counted(i)) found(cells.row(i));
  }
}

enum Verdict : unsigned {
  kGood = 0,
  kNotModelWord = 1,
  kNotLowerSnake = 2,
  kNotColumnWord = 4,
  kEmpty = 8,
  kFolds = 16,
};

unsigned judge(std::string_view text, const TextRules& rules) {
  unsigned verdict = kGood;
  if (!rules.model_words.empty() && rules.model_words.index_of(text) < 0) {
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
  if (rules.lower_snake && rules.model_words.empty() && !surely_snake && !core::is_lower_snake(text)) {
    verdict |= kNotLowerSnake;
  }
  if (rules.not_empty && text.empty() && verdict == kGood) verdict |= kEmpty;
  return verdict;
}

template <class Texts>
bool judge_all(const Texts& texts, const Cells& cells, const TextRules& rules, const TextFindings& found) {
  const Valid valid(texts);
  std::string_view last;
  unsigned verdict = kGood;
  bool judged = false, folds = false;
  for (std::int64_t i = 0; i < texts.length(); ++i) {
    if (!valid(i)) continue;
    const std::string_view text = texts.GetView(i);
    if (!judged || text != last) {
      verdict = judge(text, rules);
      last = text;
      judged = true;
    }
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

Words::Words(const std::vector<std::string>& words) {
  for (std::size_t i = 0; i < words.size(); ++i) words_.push_back({words[i], static_cast<std::ptrdiff_t>(i)});
  std::ranges::stable_sort(words_, {}, [](const Word& word) { return word.text.size(); });
  const std::size_t longest = words_.empty() ? 0 : words_.back().text.size();
  for (std::size_t length = 0; length <= longest + 1; ++length) {
    const auto first =
        std::ranges::lower_bound(words_, length, {}, [](const Word& word) { return word.text.size(); });
    begin_.push_back(static_cast<std::size_t>(first - words_.begin()));
  }
}

std::ptrdiff_t Words::index_of(std::string_view text) const {
  if (text.size() + 1 >= begin_.size()) return -1;
  for (std::size_t i = begin_[text.size()]; i < begin_[text.size() + 1]; ++i) {
    if (std::memcmp(words_[i].text.data(), text.data(), text.size()) == 0) return words_[i].index;
  }
  return -1;
}

bool check_texts(const Cells& cells, const TextRules& rules, const TextFindings& found) {
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
  with_text(cells.values, [&](const auto& texts) { folds = judge_all(texts, cells, rules, found); });
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
    for (std::int64_t i = 0; i < texts.length(); ++i) {
      if (valid(i) && cells.counted(i) && !core::read_double(texts.GetView(i))) found(cells.row(i));
    }
  });
  if (!text) find_any(cells, found);
}

void find_null(const Cells& cells, const Found& found) {
  if (cells.values.null_count() == 0) return;
  for (std::int64_t i = 0; i < cells.values.length(); ++i) {
    if (cells.values.IsNull(i) && cells.counted(i)) found(cells.row(i));
  }
}

void find_any(const Cells& cells, const Found& found) {
  for (std::int64_t i = 0; i < cells.values.length(); ++i) {
    if (!cells.values.IsNull(i) && cells.counted(i)) found(cells.row(i));
  }
}

void find_missing(const arrow::Array& kinds, const std::vector<const arrow::Array*>& columns,
                  const NeedsRules& rules,
                  const std::function<void(std::int64_t, std::size_t, std::uint8_t)>& found) {
  const auto length = static_cast<std::size_t>(kinds.length());
  constexpr std::uint8_t kNone = 255;
  std::vector<std::uint8_t> kind(length, kNone), missing(length, 0);
  with_text(kinds, [&](const auto& texts) {
    const Valid valid(texts);
    std::string_view last;
    std::ptrdiff_t index = -1;
    for (std::size_t i = 0; i < length; ++i) {
      if (!valid(static_cast<std::int64_t>(i))) continue;
      const std::string_view text = texts.GetView(static_cast<std::int64_t>(i));
      if (text != last) {
        index = rules.kinds.index_of(text);
        last = text;
      }
      if (index < 0) continue;
      kind[i] = static_cast<std::uint8_t>(index);
      missing[i] = rules.needed[static_cast<std::size_t>(index)];
    }
  });
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (columns[c] == nullptr) continue;
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
  for (std::size_t i = 0; i < length; ++i) {
    if (missing[i] != 0) found(static_cast<std::int64_t>(i), kind[i], missing[i]);
  }
}

}  // namespace crv::io

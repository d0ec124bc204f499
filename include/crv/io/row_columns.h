// Columns that grow out of structs: templates fill plain buffers, which become Arrow arrays as they are. What row.h
// is made of; not for use by itself.
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <ratio>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include <arrow/type_fwd.h>

#include "crv/core/error.h"
#include "crv/core/types.h"
#include "crv/io/row_types.h"

namespace crv::io::detail {

// Bytes that grow, of Arrow's memory.
class Bytes {
 public:
  Bytes() = default;
  Bytes(Bytes&&) = default;
  Bytes& operator=(Bytes&&) = default;
  // The begin of `count` values more, which the caller writes.
  template <class Value>
  Value* extend(std::int64_t count) {
    const std::int64_t size = size_ + count * std::int64_t{sizeof(Value)};
    if (size > room_) grow(size);
    auto* begin = reinterpret_cast<Value*>(data_ + size_);
    size_ = size;
    return begin;
  }
  void reserve(std::int64_t bytes) {
    if (bytes > room_) grow(bytes);
  }
  void cut(std::int64_t size) { size_ = size; }
  const std::uint8_t* data() const { return data_; }
  std::int64_t size() const { return size_; }
  // What has been written. The object is spent then.
  std::shared_ptr<arrow::Buffer> finish();

 private:
  void grow(std::int64_t bytes);

  std::shared_ptr<arrow::ResizableBuffer> buffer_;
  std::uint8_t* data_ = nullptr;
  std::int64_t size_ = 0, room_ = 0;
};

// One path of the rows: a column, a field of a struct or the elements of a list.
struct Column {
  // `table`, `type` and `holder` (the column of the struct or list around it) outlive it. Reserves `rows` values,
  // where it does not depend on the rows how many there are.
  Column(const std::string& table, std::string path, const core::Type& type, const Column* holder,
         std::int64_t rows);

  // Makes ends of 64 bits out of those of 32.
  void widen();
  std::shared_ptr<arrow::Array> finish();

  // Refuses the texts from number `first` on where one is not UTF-8; their bytes begin at `begin` of `values`.
  void check_texts(std::int64_t first, std::int64_t begin) const;
  // Refuses the first of the values from number `first` on that is below 0: it was above 2^63 - 1.
  [[noreturn]] void refuse_unsigned(std::int64_t first) const;
  [[noreturn]] void refuse_word(std::int64_t index, const std::string& value,
                                const std::vector<std::string>& words) const;
  [[noreturn]] void refuse_moment(std::int64_t index, std::int64_t count) const;

  const std::string& table;
  const std::string path;  // "home.x", "lambs[]"
  const core::Type& type;
  const Column* const holder;
  std::int64_t length = 0, nulls = 0;
  Bytes validity{};                              // bits; empty: no value can be null
  Bytes values{};                                // of text and binary: their bytes
  Bytes ends{};                                  // of text, binary and lists: 0, then the end of each value
  std::int64_t last = 0;                         // the last of them
  bool wide = false;                             // ends have 64 bits, not 32
  std::vector<std::unique_ptr<Column>> parts{};  // of a struct: its fields; of a list: its elements

 private:
  std::int64_t end_of(std::int64_t index) const;
  std::int64_t row_of(std::int64_t index) const;  // of the frame
  ErrorFacts facts_of(std::int64_t index) const;
};

// All columns of a frame.
class RowColumns {
 public:
  // `types` outlives it.
  RowColumns(std::string_view table, const std::vector<core::NamedType>& types, std::int64_t rows);
  RowColumns(const RowColumns&) = delete;
  RowColumns& operator=(const RowColumns&) = delete;

  Column& operator[](std::size_t i) { return *columns_[i]; }
  std::shared_ptr<arrow::Table> finish();

 private:
  std::string table_;
  const std::vector<core::NamedType>& types_;
  std::int64_t rows_;
  std::vector<std::unique_ptr<Column>> columns_;
};

// ---- sources: each calls visit(pointer) for its values in order; kNullable: some of the pointers are null ----

template <class T>
struct RowsOf {
  static constexpr bool kNullable = false;
  std::span<const T> rows;

  template <class Visit>
  void operator()(Visit&& visit) const {
    for (const T& row : rows) visit(&row);
  }
};

template <class Outer, class T, std::size_t I>
struct MembersOf {
  static constexpr bool kNullable = Outer::kNullable;
  using Member = RowMember<T, I>;
  Outer outer;

  template <class Visit>
  void operator()(Visit&& visit) const {
    constexpr auto member = std::get<I>(kRowFields<T>).member;
    outer([&](const T* row) {
      const Member* value = nullptr;
      if (!kNullable || row) value = &(row->*member);
      visit(value);
    });
  }
};

template <class Outer, class Optional>
struct ContentsOf {
  static constexpr bool kNullable = true;
  Outer outer;

  template <class Visit>
  void operator()(Visit&& visit) const {
    outer([&](const Optional* value) {
      visit((!Outer::kNullable || value) && value->has_value() ? &**value : nullptr);
    });
  }
};

template <class Outer, class List>
struct ElementsOf {
  static constexpr bool kNullable = false;
  Outer outer;

  template <class Visit>
  void operator()(Visit&& visit) const {
    outer([&](const List* list) {
      if (Outer::kNullable && !list) return;
      if constexpr (std::same_as<typename List::value_type, bool>)
        for (const bool element : *list) visit(&element);  // std::vector<bool> has no bools to point to
      else
        for (const auto& element : *list) visit(&element);
    });
  }
};

// ---- filling ----

// Writes bits behind the first `length` of `bytes`.
class BitWriter {
 public:
  BitWriter(Bytes& bytes, std::int64_t length, std::int64_t count) : used_(static_cast<int>(length % 8)) {
    out_ = bytes.extend<std::uint8_t>((length + count + 7) / 8 - bytes.size());
    if (used_ > 0) bits_ = *--out_;
  }
  void put(bool bit) {
    bits_ |= static_cast<unsigned>(bit) << used_;
    if (++used_ < 8) return;
    *out_++ = static_cast<std::uint8_t>(bits_);
    bits_ = 0;
    used_ = 0;
  }
  void finish() const {
    if (used_ > 0) *out_ = static_cast<std::uint8_t>(bits_);
  }

 private:
  std::uint8_t* out_;
  unsigned bits_ = 0;
  int used_;
};

template <class T, class Source>
void fill_validity(Column& column, const Source& source, std::int64_t count) {
  BitWriter bits(column.validity, column.length, count);
  std::int64_t nulls = 0;
  source([&](const T* value) {
    bits.put(value != nullptr);
    nulls += value == nullptr;
  });
  bits.finish();
  column.nulls += nulls;
}

template <class T, class Source>
void fill_bools(Column& column, const Source& source, std::int64_t count) {
  BitWriter bits(column.values, column.length, count);
  source([&](const T* value) { bits.put((!Source::kNullable || value) && *value); });
  bits.finish();
}

template <class Stored, class T, class Source>
void fill_numbers(Column& column, const Source& source, std::int64_t count) {
  Stored* out = column.values.extend<Stored>(count);
  constexpr bool may_be_large = std::unsigned_integral<T> && sizeof(T) == sizeof(std::uint64_t);
  std::uint64_t bits = 0;  // that any of them has
  source([&](const T* value) {
    const T number = !Source::kNullable || value ? *value : T{};
    if constexpr (may_be_large) bits |= number;
    *out++ = static_cast<Stored>(+number);
  });
  if (bits > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) column.refuse_unsigned(column.length);
}

template <class T, class Source>
void fill_moments(Column& column, const Source& source, std::int64_t count) {
  using Scale = std::ratio_divide<typename T::period, std::micro>;
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / Scale::num;
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min() / Scale::num;
  const auto read = [](const T* value) -> std::int64_t {
    return !Source::kNullable || value ? value->time_since_epoch().count() : 0;
  };
  auto* out = column.values.extend<std::int64_t>(count);
  bool fits = true;
  source([&](const T* value) {
    const std::int64_t moment = read(value);
    fits &= least <= moment && moment <= most;
    *out++ = static_cast<std::int64_t>(static_cast<std::uint64_t>(moment) * std::uint64_t{Scale::num});
  });
  if (fits) return;
  std::int64_t index = column.length;
  source([&](const T* value) {
    const std::int64_t moment = read(value);
    if (moment < least || moment > most) column.refuse_moment(index, moment);
    ++index;
  });
}

// Appends where each value ends; returns false, and takes back what it wrote, where 32 bits are not enough.
template <class End, class T, class Source, class SizeOf>
bool fill_ends(Column& column, const Source& source, std::int64_t count, const SizeOf& size_of) {
  const std::int64_t before = column.ends.size();
  End* out = column.ends.extend<End>(count);
  std::int64_t end = column.last;
  source([&](const T* value) {
    if (!Source::kNullable || value) end += static_cast<std::int64_t>(size_of(*value));
    *out++ = static_cast<End>(end);
  });
  if (end > std::numeric_limits<End>::max()) {
    column.ends.cut(before);
    return false;
  }
  column.last = end;
  return true;
}

template <class T, class Source, class SizeOf>
void fill_ends(Column& column, const Source& source, std::int64_t count, const SizeOf& size_of) {
  if (!column.wide) {
    if (fill_ends<std::int32_t, T>(column, source, count, size_of)) return;
    column.widen();
  }
  fill_ends<std::int64_t, T>(column, source, count, size_of);
}

template <class T>
std::string_view bytes_of(const T& value) {
  if constexpr (kShape<T> == Shape::word)
    return name_of(value);
  else if constexpr (kShape<T> == Shape::binary)
    return {reinterpret_cast<const char*>(value.data()), value.size()};
  else
    return value;
}

// Refuses the values of an enum that are none of its enumerators.
template <class T, class Source>
void check_words(Column& column, const Source& source) {
  bool good = true;
  source([&](const T* value) {
    if (!Source::kNullable || value) good &= !name_of(*value).empty();
  });
  if (good) return;
  std::vector<std::string> words;
  for (const auto& known : kEnumNames<T>) words.emplace_back(known.name);
  std::int64_t index = column.length;
  source([&](const T* value) {
    if ((!Source::kNullable || value) && name_of(*value).empty())
      column.refuse_word(index, std::to_string(+number_of(*value)), words);
    ++index;
  });
}

// Copies the first and the last Word of `size` bytes, which may overlap.
template <class Word>
void copy_ends(char* to, const char* from, std::size_t size) {
  Word first, last;
  std::memcpy(&first, from, sizeof first);
  std::memcpy(&last, from + size - sizeof last, sizeof last);
  std::memcpy(to, &first, sizeof first);
  std::memcpy(to + size - sizeof last, &last, sizeof last);
}

// As std::memcpy, without a call for what is short: most texts of rows are.
inline void copy_bytes(char* to, const char* from, std::size_t size) {
  if (size > 2 * sizeof(std::uint64_t))
    std::memcpy(to, from, size);
  else if (size >= sizeof(std::uint64_t))
    copy_ends<std::uint64_t>(to, from, size);
  else if (size >= sizeof(std::uint32_t))
    copy_ends<std::uint32_t>(to, from, size);
  else
    for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
}

// Of texts, words and binaries: their bytes and where each ends.
template <class T, class Source>
void fill_bytes(Column& column, const Source& source, std::int64_t count) {
  if constexpr (kShape<T> == Shape::word) check_words<T>(column, source);
  const std::int64_t before = column.last, begin = column.values.size();
  fill_ends<T>(column, source, count, [](const T& value) { return bytes_of(value).size(); });
  char* out = column.values.extend<char>(column.last - before);
  source([&](const T* value) {
    if (Source::kNullable && !value) return;
    const std::string_view bytes = bytes_of(*value);
    copy_bytes(out, bytes.data(), bytes.size());
    out += bytes.size();
  });
  if constexpr (kShape<T> == Shape::text) column.check_texts(column.length, begin);
}

// Appends the `count` values of `source`, which are T.
template <class T, class Source>
void fill(Column& column, const Source& source, std::int64_t count) {
  constexpr Shape shape = kShape<T>;
  if constexpr (shape == Shape::optional) {
    fill<typename T::value_type>(column, ContentsOf<Source, T>{source}, count);
  } else {
    if constexpr (Source::kNullable) fill_validity<T>(column, source, count);
    if constexpr (shape == Shape::boolean) {
      fill_bools<T>(column, source, count);
    } else if constexpr (shape == Shape::integer) {
      fill_numbers<std::int64_t, T>(column, source, count);
    } else if constexpr (shape == Shape::floating) {
      fill_numbers<double, T>(column, source, count);
    } else if constexpr (shape == Shape::moment) {
      fill_moments<T>(column, source, count);
    } else if constexpr (shape == Shape::list || shape == Shape::array) {
      const std::int64_t before = column.last;
      fill_ends<T>(column, source, count, [](const T& list) { return list.size(); });
      fill<typename T::value_type>(*column.parts[0], ElementsOf<Source, T>{source}, column.last - before);
    } else if constexpr (shape == Shape::row) {
      for_each_member<T>([&]<std::size_t I>() {
        fill<RowMember<T, I>>(*column.parts[I], MembersOf<Source, T, I>{source}, count);
      });
    } else {
      fill_bytes<T>(column, source, count);
    }
    column.length += count;
  }
}

// So many rows are filled into all columns before the next ones are: they stay in the cache.
template <class T>
inline constexpr std::size_t kRowsAtOnce = std::clamp<std::size_t>(32768 / sizeof(T) / 64 * 64, 64, 4096);

template <IsRow T>
std::shared_ptr<arrow::Table> table_of_rows(std::span<const T> rows, std::string_view table) {
  check_table_row<T>();
  if constexpr (kIsTableRow<T>) {
    static const std::vector<core::NamedType> types = types_of<T>();
    RowColumns columns(table, types, static_cast<std::int64_t>(rows.size()));
    while (!rows.empty()) {
      const std::span<const T> some = rows.first(std::min(rows.size(), kRowsAtOnce<T>));
      rows = rows.subspan(some.size());
      for_each_member<T>([&]<std::size_t I>() {
        fill<RowMember<T, I>>(columns[I], MembersOf<RowsOf<T>, T, I>{{some}},
                              static_cast<std::int64_t>(some.size()));
      });
    }
    return columns.finish();
  } else {
    return nullptr;
  }
}

}  // namespace crv::io::detail

#include "io/conform/normalize.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/builder_base.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/cast.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "io/arrow/arrow_types.h"
#include "io/arrow/gather.h"
#include "io/arrow/text_array.h"
#include "io/conform/accepted.h"
#include "io/conform/cast.h"
#include "io/schema/declared.h"

namespace crv::io {

namespace {

using Kind = Type::Kind;
using ArrayPtr = std::shared_ptr<arrow::Array>;
using TypePtr = std::shared_ptr<arrow::DataType>;

// A path on its way: `chunks` may be empty, so the Arrow type stands beside them.
struct Path {
  Type type;
  TypePtr arrow;  // nullptr where the type is unknown: there is nothing to write
  arrow::ArrayVector chunks;
};

// What stands elsewhere about the type of a path; nullptr where nothing does.
struct Known {
  const Type* held;
  const Type* declared;
};

Path normalize_path(const Place& place, TypePtr type, arrow::ArrayVector chunks, Known known);

TypePtr empty_struct() {
  return arrow::struct_({arrow::field(kEmptyField, arrow::boolean())});
}

// What a part holds of a type that the run remembers; nullptr where nothing of it is known.
TypePtr stored_type(const Type& type) {
  switch (type.kind) {
    case Kind::null:
      return nullptr;
    case Kind::list: {
      TypePtr element = stored_type(type.fields.at(0).type);
      return arrow::list(arrow::field("element", element != nullptr ? element : empty_struct()));
    }
    case Kind::structure: {
      arrow::FieldVector fields;
      for (const Field& field : type.fields)
        if (TypePtr stored = stored_type(field.type))
          fields.push_back(arrow::field(field.name, std::move(stored)));
      return fields.empty() ? empty_struct() : arrow::struct_(fields);
    }
    default:
      return to_arrow(type);
  }
}

// Whether the run could have got the type by an append of today, as far as the type itself tells.
bool is_accepted(const Type& type) {
  return type.kind != Kind::other || why_no_type(*to_arrow(type)).empty();
}

// `type` without what nobody knows, without what only older writers took, and without marks of large
// integers: what an all-null path of that type holds.
Type known_part(const Type& type) {
  if (!is_accepted(type)) return {};
  Type known = type;
  known.exact = false;
  if (type.kind == Kind::structure) {
    known.fields.clear();
    for (const Field& field : type.fields) {
      if (field.type.kind == Kind::null || !is_accepted(field.type) || !why_no_name(field.name).empty())
        continue;
      known.fields.push_back({field.name, known_part(field.type)});
    }
  } else if (type.kind == Kind::list) {
    known.fields.at(0).type = known_part(type.fields.at(0).type);
  }
  return known;
}

// Nulls in place of `chunks`, of the type that the run remembers.
Path nulls_as_held(const Place& place, const arrow::ArrayVector& chunks, const Type* held) {
  Path result;
  if (!held || held->kind == Kind::null || !is_accepted(*held)) return result;
  result.type = known_part(*held);
  result.arrow = stored_type(result.type);
  for (const ArrayPtr& chunk : chunks) {
    result.chunks.push_back(
        check(arrow::MakeArrayOfNull(result.arrow, chunk->length()), ErrorCode::wrong_type, place.facts()));
  }
  return result;
}

bool all_null(const arrow::ArrayVector& chunks) {
  return std::ranges::all_of(chunks,
                             [](const ArrayPtr& chunk) { return chunk->null_count() == chunk->length(); });
}

// Refuses a path as such: told with its first value.
[[noreturn]] void refuse(const Place& place, ErrorCode code, const arrow::ArrayVector& chunks,
                         const std::string& why) {
  for (std::size_t chunk = 0; chunk < chunks.size(); ++chunk) {
    for (std::int64_t i = 0; i < chunks[chunk]->length(); ++i)
      if (!chunks[chunk]->IsNull(i)) place.fail_at(code, *chunks[chunk], chunk, i, why);
  }
  place.fail(code, why);
}

[[noreturn]] void conflict(const Place& place, const arrow::ArrayVector& chunks, const Type& held,
                           const Type& offered) {
  refuse(place, ErrorCode::type_conflict, chunks,
         "this path holds " + text_of(held) + " in this run, which does not meet " + text_of(offered));
}

bool meets(const Type& held, const Type& offered) {
  if (held.kind == Kind::null) return true;
  if (held.kind == Kind::other && offered.kind == Kind::other) return held.other == offered.other;
  if (held.kind == Kind::f64 && offered.kind == Kind::i64) return true;
  if (held.kind == Kind::i64 && offered.kind == Kind::f64) return !held.exact;
  return held.kind == offered.kind;
}

// The kind of a path, without looking below it.
Type outline(const arrow::DataType& type, const Place& place, const arrow::ArrayVector& chunks) {
  switch (type.id()) {
    case arrow::Type::STRUCT:
      return core::plain_type(Kind::structure);
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST:
    case arrow::Type::LIST_VIEW:
    case arrow::Type::LARGE_LIST_VIEW:
    case arrow::Type::MAP:
      return list_of(Type());
    case arrow::Type::EXTENSION:
      refuse(
          place, ErrorCode::wrong_type, chunks,
          "values of the extension type " + type.ToString() + " cannot be stored; give the values below it");
    default:
      break;
  }
  try {
    return from_arrow(type, place.path());
  } catch (const Error& error) {
    refuse(place, error.code(), chunks, "values of the type " + type.ToString() + " cannot be stored");
  }
}

// Where the run's type has a field; its number of fields where it has none. Fields mostly stand in the same
// order on both sides, so the search begins where the other side has it.
std::size_t position_in(const std::vector<Field>& fields, const std::string& name, std::size_t hint) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t at = (hint + i) % fields.size();
    if (fields[at].name == name) return at;
  }
  return fields.size();
}

struct FieldOrder {
  int index = 0;          // in the struct given
  std::size_t known = 0;  // in the run's type
};

// Fields that the run knows in its order, so that callers who shuffle their keys make no new schema each
// time; then new ones as they came.
std::vector<FieldOrder> order_of(const Place& place, const arrow::StructType& type,
                                 const std::vector<Field>& known) {
  std::vector<FieldOrder> order;
  std::set<std::string_view> names;
  for (int i = 0; i < type.num_fields(); ++i) {
    const std::string& name = type.field(i)->name();
    if (!names.insert(name).second)
      place.field(name).fail(ErrorCode::duplicate_column, "two fields have this name");
    order.push_back({i, position_in(known, name, static_cast<std::size_t>(i))});
  }
  std::ranges::stable_sort(order, {}, &FieldOrder::known);
  return order;
}

// Flatten() brings the struct's own nulls down to its fields: what a caller left below a null struct is no
// value, and must neither be refused nor decide a type. The struct keeps its nulls all the same.
Path normalize_struct(const Place& place, const arrow::StructType& type, const arrow::ArrayVector& chunks,
                      Known above) {
  std::vector<arrow::ArrayVector> children(static_cast<std::size_t>(type.num_fields()));
  for (const ArrayPtr& chunk : chunks) {
    const auto flat =
        check(static_cast<const arrow::StructArray&>(*chunk).Flatten(), ErrorCode::wrong_type, place.facts());
    for (std::size_t i = 0; i < flat.size(); ++i) children[i].push_back(flat[i]);
  }
  for (std::size_t i = 0; i < children.size(); ++i) {
    const std::string& name = type.field(static_cast<int>(i))->name();
    if (const std::string why = why_no_name(name); !why.empty())
      refuse(place.field(name), ErrorCode::reserved_name, children[i], why);
  }
  const std::vector<Field> nothing;
  const std::vector<Field>& known = above.held == nullptr ? nothing : above.held->fields;
  Path result;
  result.type = struct_of({});
  arrow::FieldVector fields;
  std::vector<arrow::ArrayVector> kept;
  for (const FieldOrder& one : order_of(place, type, known)) {
    const auto& field = type.field(one.index);
    const std::string& name = field->name();
    Path child = normalize_path(
        place.field(name), field->type(), std::move(children[static_cast<std::size_t>(one.index)]),
        {one.known < known.size() ? &known[one.known].type : nullptr, field_of(above.declared, name)});
    result.type.fields.push_back({name, std::move(child.type)});
    if (!child.arrow) continue;
    fields.push_back(arrow::field(name, child.arrow));
    kept.push_back(std::move(child.chunks));
  }
  result.arrow = fields.empty() ? empty_struct() : arrow::struct_(fields);
  for (std::size_t chunk = 0; chunk < chunks.size(); ++chunk) {
    arrow::ArrayVector values;
    for (const arrow::ArrayVector& child : kept) values.push_back(child[chunk]);
    const std::int64_t length = chunks[chunk]->length();
    if (kept.empty()) {
      values.push_back(
          check(arrow::MakeArrayOfNull(arrow::boolean(), length), ErrorCode::wrong_type, place.facts()));
    }
    result.chunks.push_back(
        std::make_shared<arrow::StructArray>(result.arrow, length, values, validity_of(*chunks[chunk])));
  }
  return result;
}

// One chunk of a list of any kind: its elements without those below nulls, and where each list ends.
struct Lists {
  ArrayPtr elements;
  std::shared_ptr<arrow::Buffer> offsets;  // length + 1 of Offset
};

template <class Offset, class List>
Lists unpack(const List& list, const Place& place) {
  Lists result;
  result.elements = check(list.Flatten(), ErrorCode::wrong_type, place.facts());
  result.offsets = check(arrow::AllocateBuffer((list.length() + 1) * std::int64_t{sizeof(Offset)}),
                         ErrorCode::wrong_type, place.facts());
  auto* offsets = reinterpret_cast<Offset*>(result.offsets->mutable_data());
  offsets[0] = 0;
  for (std::int64_t i = 0; i < list.length(); ++i)
    offsets[i + 1] = offsets[i] + (list.IsNull(i) ? Offset{0} : static_cast<Offset>(list.value_length(i)));
  return result;
}

// A list's and a map's offsets are 32 bits wide and enough for its elements; all other kinds get 64 bits,
// since a view or a fixed size may unfold to more.
bool has_narrow_offsets(const arrow::DataType& type) {
  return type.id() == arrow::Type::LIST || type.id() == arrow::Type::MAP;
}

Lists unpack(const arrow::Array& chunk, const Place& place) {
  switch (chunk.type_id()) {
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      return unpack<std::int32_t>(static_cast<const arrow::ListArray&>(chunk), place);
    case arrow::Type::LARGE_LIST:
      return unpack<std::int64_t>(static_cast<const arrow::LargeListArray&>(chunk), place);
    case arrow::Type::LIST_VIEW:
      return unpack<std::int64_t>(static_cast<const arrow::ListViewArray&>(chunk), place);
    case arrow::Type::LARGE_LIST_VIEW:
      return unpack<std::int64_t>(static_cast<const arrow::LargeListViewArray&>(chunk), place);
    default:
      return unpack<std::int64_t>(static_cast<const arrow::FixedSizeListArray&>(chunk), place);
  }
}

template <class Offset>
std::int64_t list_around(const arrow::Buffer& offsets, std::int64_t element) {
  const auto* begin = reinterpret_cast<const Offset*>(offsets.data());
  const auto* end = begin + offsets.size() / std::int64_t{sizeof(Offset)};
  return std::upper_bound(begin, end, static_cast<Offset>(element)) - begin - 1;
}

// Elements are one path of their own, without those that stand below a null list. Where nobody knows their
// type, a part still needs one, since Parquet has no list without: null structs without fields, which readers
// of crv take for unknown (see adapt()).
Path normalize_list(const Place& place, const arrow::DataType& type, const arrow::ArrayVector& chunks,
                    Known above) {
  const bool narrow = has_narrow_offsets(type);
  std::vector<std::shared_ptr<arrow::Buffer>> offsets;
  arrow::ArrayVector elements;
  for (const ArrayPtr& chunk : chunks) {
    Lists lists = unpack(*chunk, place);
    offsets.push_back(std::move(lists.offsets));
    elements.push_back(std::move(lists.elements));
  }
  const Place below = place.element([&](std::size_t chunk, std::int64_t index) {
    return narrow ? list_around<std::int32_t>(*offsets[chunk], index)
                  : list_around<std::int64_t>(*offsets[chunk], index);
  });
  Path element = normalize_path(
      below, type.field(0)->type(), elements,
      {above.held == nullptr ? nullptr : &above.held->fields.at(0).type, elements_of(above.declared)});
  if (!element.arrow) {
    element.arrow = empty_struct();
    for (const ArrayPtr& chunk : elements) {
      element.chunks.push_back(check(arrow::MakeArrayOfNull(element.arrow, chunk->length()),
                                     ErrorCode::wrong_type, place.facts()));
    }
  }
  Path result;
  result.type = list_of(std::move(element.type));
  const auto field = arrow::field("element", element.arrow);
  result.arrow = narrow ? arrow::list(field) : arrow::large_list(field);
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const auto data =
        arrow::ArrayData::Make(result.arrow, chunks[i]->length(), {validity_of(*chunks[i]), offsets[i]},
                               {element.chunks[i]->data()});
    result.chunks.push_back(arrow::MakeArray(data));
  }
  return result;
}

// An integer path that has been f64 in this run is written as f64, so that a path has one physical type in all
// parts from then on. Whether it holds an integer that no double is must be known before anything could widen
// it.
Path normalize_integers(const Place& place, const arrow::ArrayVector& chunks, const Type* held) {
  Path result;
  const bool widen = held != nullptr && held->kind == Kind::f64;
  result.type.kind = widen ? Kind::f64 : Kind::i64;
  result.arrow = widen ? arrow::float64() : arrow::int64();
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    result.chunks.push_back(widen ? cast_to_f64(chunks[i], place, i) : cast_to_i64(chunks[i], place, i));
    if (!widen && !result.type.exact) result.type.exact = holds_exact(*result.chunks.back());
  }
  return result;
}

// As Arrow casts it. Its error names no row, so where there is one each value is cast alone: one that does not
// fit is refused, and is null where the place goes on.
ArrayPtr cast_exactly(const ArrayPtr& values, const TypePtr& type, const Place& place, std::size_t chunk) {
  const auto result = arrow::compute::Cast(*values, type);
  if (result.ok()) return *result;
  const auto fitting = check(arrow::MakeBuilder(values->type()), ErrorCode::lossy_cast, place.facts());
  for (std::int64_t i = 0; i < values->length(); ++i) {
    const auto one = arrow::compute::Cast(*values->Slice(i, 1), type);
    if (!one.ok()) place.refuse_at(ErrorCode::lossy_cast, *values, chunk, i, one.status().message());
    check(
        one.ok() ? fitting->AppendArraySlice(arrow::ArraySpan(*values->data()), i, 1) : fitting->AppendNull(),
        ErrorCode::lossy_cast, place.facts());
  }
  const ArrayPtr rest = check(fitting->Finish(), ErrorCode::lossy_cast, place.facts());
  return check(arrow::compute::Cast(*rest, type), ErrorCode::lossy_cast, place.facts());
}

// Text, and types that Parquet holds and that crv only passes on, in the one form that from_arrow() names.
Path normalize_others(const Place& place, Type offered, const TypePtr& type,
                      const arrow::ArrayVector& chunks) {
  const bool binary = type->id() == arrow::Type::LARGE_BINARY || type->id() == arrow::Type::BINARY_VIEW;
  const bool free_of_width = offered.kind == Kind::str || binary;
  const bool keep_views = place.depth() == 0 && type->id() == arrow::Type::STRING_VIEW;
  Path result;
  result.arrow = free_of_width ? type : to_arrow(offered);
  if (type->id() == arrow::Type::STRING_VIEW && !keep_views) result.arrow = arrow::large_utf8();
  if (type->id() == arrow::Type::BINARY_VIEW) result.arrow = arrow::large_binary();
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    ArrayPtr values = keep_views ? chunks[i] : without_views(chunks[i]);
    check_readable(*values, place, i);  // before a cast, which may take what does not fit for something else
    if (!values->type()->Equals(*result.arrow)) {
      values = cast_exactly(values, result.arrow, place, i);
      check_readable(*values, place, i);
    }
    result.chunks.push_back(std::move(values));
  }
  result.type = std::move(offered);
  return result;
}

bool is_number(const Type& type) {
  return type.kind == Kind::i64 || type.kind == Kind::f64;
}

bool holds_decimals(const Type* held) {
  return held != nullptr && held->kind == Kind::other && arrow::is_decimal(to_arrow(*held)->id());
}

// Integers and decimals as the decimals that the run holds.
Path normalize_decimals(const Place& place, const arrow::ArrayVector& chunks, const Type& held) {
  Path result{held, to_arrow(held), {}};
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    check_readable(*chunks[i], place, i);
    result.chunks.push_back(cast_to_decimal(chunks[i], result.arrow, place, i));
  }
  return result;
}

// Whether numbers on a path are to be text: that is declared, and the run holds none of them as numbers.
bool becomes_text(Known known, const Type& offered, const arrow::DataType& type) {
  if (!known.declared || known.declared->kind != Kind::str) return false;
  if (known.held && known.held->kind != Kind::str) return false;
  return is_number(offered) || offered.kind == Kind::boolean || arrow::is_decimal(type.id());
}

// Moments with an offset in place of a zone as the same moments in UTC: the offset is not kept.
void drop_offset(TypePtr& type, arrow::ArrayVector& chunks, const Place& place) {
  if (type->id() != arrow::Type::TIMESTAMP) return;
  const auto& timestamp = static_cast<const arrow::TimestampType&>(*type);
  if (!is_utc_offset(timestamp.timezone())) return;
  type = arrow::timestamp(timestamp.unit(), "UTC");
  for (ArrayPtr& chunk : chunks) chunk = check(chunk->View(type), ErrorCode::wrong_type, place.facts());
}

// What text can stand for, besides numbers: "2026-01-31T12:00:00Z".
bool has_text_form(arrow::Type::type type) {
  using Id = arrow::Type;
  return type == Id::TIMESTAMP || type == Id::DATE32 || type == Id::TIME32 || type == Id::TIME64 ||
         type == Id::DECIMAL128;
}

// Where moments or times of a day are declared, the same in the declared zone and unit; text as what is declared.
void become_declared(TypePtr& type, arrow::ArrayVector& chunks, const Place& place, const Type* declared) {
  if (!declared || declared->kind != Kind::other) return;
  const TypePtr wanted = to_arrow(*declared);
  if (wanted->Equals(*type)) return;
  const auto has_zone = [](const arrow::DataType& moments) {
    return !static_cast<const arrow::TimestampType&>(moments).timezone().empty();
  };
  const bool moments = type->id() == arrow::Type::TIMESTAMP && wanted->id() == arrow::Type::TIMESTAMP &&
                       has_zone(*type) == has_zone(*wanted);
  const bool times = arrow::is_time(type->id()) && arrow::is_time(wanted->id());
  if (!moments && !times && !(is_text(*type) && has_text_form(wanted->id()))) return;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    check_readable(*chunks[i], place, i);
    chunks[i] = cast_exactly(without_views(chunks[i]), wanted, place, i);
  }
  type = wanted;
}

// The order matters. What the caller's way of storing hides (a dictionary, an offset) goes first. A path
// without a value takes whatever the run holds. Then numbers become what the run or the catalog wants of them:
// text, integers, or decimals of the type held; only after that is it a question whether the type is one that
// an append takes, and whether it meets the run's.
Path normalize_path(const Place& place, TypePtr type, arrow::ArrayVector chunks, Known known) {
  if (place.depth() >= kMaxAcceptedDepth) {
    refuse(place, ErrorCode::wrong_type, chunks,
           "nested deeper than " + std::to_string(kMaxAcceptedDepth) + " levels");
  }
  while (type->id() == arrow::Type::DICTIONARY) {
    type = static_cast<const arrow::DictionaryType&>(*type).value_type();
    for (ArrayPtr& chunk : chunks) chunk = decode(chunk);
  }
  drop_offset(type, chunks, place);
  become_declared(type, chunks, place, known.declared);
  Type offered = outline(*type, place, chunks);
  if (known.held && known.held->kind == Kind::null) known.held = nullptr;
  const Type* held = known.held;
  if (offered.kind == Kind::null) return nulls_as_held(place, chunks, held);
  if (becomes_text(known, offered, *type)) {
    for (std::size_t i = 0; i < chunks.size(); ++i) chunks[i] = cast_to_text(chunks[i], place, i);
    type = arrow::utf8();
    offered = core::plain_type(Kind::str);
  } else if (arrow::is_decimal(type->id()) && held && is_number(*held)) {
    const bool whole = std::ranges::all_of(chunks, [](const ArrayPtr& chunk) { return fits_i64(*chunk); });
    offered = core::plain_type(whole ? Kind::i64 : Kind::f64);
  } else if (holds_decimals(held) && (arrow::is_decimal(type->id()) || offered.kind == Kind::i64)) {
    if (const std::string why = why_no_type(*to_arrow(*held)); !why.empty())
      refuse(place, ErrorCode::wrong_type, chunks,
             "this path holds " + held->other + ", which is not taken: " + why);
    return normalize_decimals(place, chunks, *held);
  }
  if (const std::string why = why_no_type(*type); !why.empty()) {
    refuse(place, ErrorCode::wrong_type, chunks,
           "values of the type " + type->ToString() + " are not taken: " + why);
  }
  if (held && !meets(*held, offered)) {
    if (all_null(chunks)) return nulls_as_held(place, chunks, held);
    conflict(place, chunks, *held, offered);
  }
  switch (offered.kind) {
    case Kind::structure:
      return normalize_struct(place, static_cast<const arrow::StructType&>(*type), chunks, known);
    case Kind::list:
      return normalize_list(place, *type, chunks, known);
    case Kind::i64:
      return normalize_integers(place, chunks, held);
    case Kind::f64: {
      Path result{std::move(offered), arrow::float64(), {}};
      for (std::size_t i = 0; i < chunks.size(); ++i)
        result.chunks.push_back(cast_to_f64(chunks[i], place, i));
      return result;
    }
    case Kind::boolean:
      return Path{std::move(offered), arrow::boolean(), std::move(chunks)};
    default:
      return normalize_others(place, std::move(offered), type, chunks);
  }
}

}  // namespace

Normalized normalize(const arrow::ChunkedArray& column, const Place& place, const Type* held,
                     const Type* declared) {
  Path path = normalize_path(place, column.type(), column.chunks(), {held, declared});
  Normalized result{std::move(path.type), nullptr};
  if (path.arrow)
    result.values = std::make_shared<arrow::ChunkedArray>(std::move(path.chunks), std::move(path.arrow));
  return result;
}

}  // namespace crv::io

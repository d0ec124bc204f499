// A table whose rows are one struct of your own (row.h): nothing else can be appended to it by mistake.
//
//   crv::io::TableOf<Sheep> sheep = dataset.table<Sheep>("sheep");
//   sheep.append(rows);  // std::vector<Sheep>, or any other contiguous range of it
//   sheep.scan({.ticks = {10, 19}}).collect();
//
// Thread safety: as that of Dataset; copies belong to one table and may be used side by side.
#pragma once

#include <atomic>
#include <concepts>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "crv/core/descriptor.h"
#include "crv/io/dataset.h"
#include "crv/io/row.h"

namespace crv::io {

template <IsRow T>
class TableOf {
 public:
  // No I/O. `dataset` must outlive the handle, and stay where it is.
  TableOf(Dataset& dataset, std::string name) : dataset_(&dataset), name_(std::move(name)) {}

  const std::string& name() const { return name_; }

  // The table as the run has it; where it has none of that name yet, as T describes it. Throws what
  // describe_row() throws.
  std::shared_ptr<const core::TableDescriptor> descriptor() const {
    if (auto held = dataset_->find_table(name_)) return held;
    return std::make_shared<const core::TableDescriptor>(describe_row<T>(name_));
  }

  // As Dataset::append(). The first append of a handle defines the table as T describes it, in a commit of its own
  // before that of the rows, also where there are no rows: Dataset::create_table(), which adds what the run lacks
  // of it and throws where the run has it otherwise. So whoever only reads defines nothing. Rows that a column
  // cannot hold are refused before.
  template <class Rows>
    requires std::convertible_to<const Rows&, std::span<const T>>
  AppendSummary append(const Rows& rows, const AppendOptions& options = {}) const {
    const Frame frame(detail::table_of_rows<T>(std::span<const T>(rows), name_));
    if (!defined_->load()) {
      dataset_->create_table(describe_row<T>(name_));
      defined_->store(true);
    }
    return dataset_->append(name_, frame, options);
  }

  // As Dataset::scan().
  Scan scan(const ScanOptions& options = {}) const { return dataset_->scan(name_, options); }

 private:
  Dataset* dataset_;
  std::string name_;
  std::shared_ptr<std::atomic<bool>> defined_ = std::make_shared<std::atomic<bool>>(false);
};

template <IsRow T>
TableOf<T> Dataset::table(std::string name) {
  return TableOf<T>(*this, std::move(name));
}

}  // namespace crv::io

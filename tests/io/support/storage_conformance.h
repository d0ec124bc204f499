// What every Storage must do. An implementation joins with
//   INSTANTIATE_TEST_SUITE_P(Name, StorageConformance, testing::Values(StorageUnderTest{...}),
//   name_of_storage);
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "io/storage/storage.h"

namespace crv::io {

struct StorageUnderTest {
  struct Instance {
    std::shared_ptr<Storage> storage;
    std::string root;            // an empty folder
    std::shared_ptr<void> keep;  // lives as long as the test
  };
  std::string name;
  std::function<Instance()> make;
};

inline std::string name_of_storage(const testing::TestParamInfo<StorageUnderTest>& info) {
  return info.param.name;
}

class StorageConformance : public testing::TestWithParam<StorageUnderTest> {
 protected:
  StorageConformance() : instance_(GetParam().make()), storage_(*instance_.storage) {}

  std::string path(const std::string& name) const { return instance_.root + "/" + name; }
  void write(const std::string& name, const std::string& bytes);
  std::string read(const std::string& name);          // "(absent)" where there is none
  std::string names(const std::string& folder = {});  // "a b/ c", folders with a slash

  StorageUnderTest::Instance instance_;
  Storage& storage_;
};

}  // namespace crv::io

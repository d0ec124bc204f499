// Arrow data for tests, written as JSON.
#pragma once

#include <memory>
#include <string>

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

namespace crv::io {

inline std::shared_ptr<arrow::Array> array_of(const std::shared_ptr<arrow::DataType>& type,
                                              const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

// Whole, of the right type down to the names of its fields, and equal in every value.
inline void expect_array(const std::shared_ptr<arrow::Array>& actual,
                         const std::shared_ptr<arrow::Array>& expected) {
  const arrow::Status valid = actual->ValidateFull();
  EXPECT_TRUE(valid.ok()) << valid.ToString();
  EXPECT_TRUE(actual->type()->Equals(*expected->type(), true))
      << "type " << actual->type()->ToString() << " instead of " << expected->type()->ToString();
  EXPECT_TRUE(actual->Equals(*expected)) << actual->ToString() << "\ninstead of\n" << expected->ToString();
}

}  // namespace crv::io

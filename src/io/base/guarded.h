// A value that is reached only while its mutex is held.
#pragma once

#include <mutex>
#include <utility>

namespace crv::io {

template <class T>
class Guarded {
 public:
  template <class... Arguments>
  explicit Guarded(Arguments&&... arguments) : value_(std::forward<Arguments>(arguments)...) {}

  // The value, as long as this lives: what was taken from it is not to be used for longer.
  class Held {
   public:
    T* operator->() const { return value_; }
    T& operator*() const& { return *value_; }
    T& operator*() && = delete;  // the lock would be gone before the value is used

   private:
    friend class Guarded;
    Held(std::mutex& mutex, T& value) : lock_(mutex), value_(&value) {}

    std::unique_lock<std::mutex> lock_;
    T* value_;
  };
  Held hold() { return Held(mutex_, value_); }

 private:
  std::mutex mutex_;
  T value_;
};

}  // namespace crv::io

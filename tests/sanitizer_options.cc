// How the sanitizers run the tests. Built into the test programs and the command of the asan and tsan
// presets; a variable such as TSAN_OPTIONS adds to it.

extern "C" const char* __asan_default_options() {
  return "strict_string_checks=1:detect_stack_use_after_return=1";
}

extern "C" const char* __ubsan_default_options() {
  return "print_stacktrace=1";
}

extern "C" const char* __tsan_default_options() {
  return "second_deadlock_stack=1";
}

// Arrow comes without instrumentation: its locks and atomics are not seen. The mutex is one of its
// allocator's.
extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:libarrow.so\n"
         "called_from_lib:libparquet.so\n"
         "called_from_lib:libarrow_compute.so\n"
         "mutex:_dl_call_fini\n";
}

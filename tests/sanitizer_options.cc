// How the sanitizers run the tests. Built into the test programs and the command of the asan and tsan
// presets; a variable such as TSAN_OPTIONS adds to it.

extern "C" const char* __asan_default_options() {
  return "strict_string_checks=1:detect_stack_use_after_return=1";
}

extern "C" const char* __ubsan_default_options() {
  return "print_stacktrace=1";
}

// The command is started hundreds of times, and would sleep a second each time it ends.
extern "C" const char* __tsan_default_options() {
  return "second_deadlock_stack=1:atexit_sleep_ms=0";
}

// Arrow and libstdc++ come without instrumentation: their locks and counts are not seen. So it is unknown
// - what hands an FdInput to the threads in which Arrow reads ahead, and back;
// - who was the last to know an exception that came out of such a thread;
// - that a lock is taken when Arrow waits with it for a condition;
// - nor when its allocator lets go of it, after a fork and at the end.
extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:libarrow.so\n"
         "called_from_lib:libparquet.so\n"
         "called_from_lib:libarrow_compute.so\n"
         "race:crv::io::FdInput\n"
         "race:std::__exception_ptr::exception_ptr::_M_release\n"
         "mutex:std::condition_variable::wait\n"
         "deadlock:std::condition_variable::wait\n"
         "mutex:__run_postfork_handlers\n"
         "mutex:_dl_call_fini\n";
}

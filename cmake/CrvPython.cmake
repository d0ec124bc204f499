# Finds the Python that an extension is built for, nanobind, and the Arrow of that Python's pyarrow, which must be the
# one that the extension meets again when it is imported: two Arrows in one process would not know each other's types.
include_guard(GLOBAL)

set(crv_python_components Interpreter Development.Module)
if(CMAKE_VERSION VERSION_GREATER_EQUAL 3.26)
  list(APPEND crv_python_components Development.SABIModule)  # from Python 3.12 on one extension fits all later ones
endif()
find_package(Python 3.11 REQUIRED COMPONENTS ${crv_python_components})
execute_process(COMMAND "${Python_EXECUTABLE}" -m nanobind --cmake_dir
                OUTPUT_VARIABLE nanobind_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
find_package(nanobind CONFIG REQUIRED)

if(NOT CRV_ARROW_ROOT)
  execute_process(COMMAND "${Python_EXECUTABLE}" -c "import pyarrow; print(pyarrow.__path__[0])"
                  OUTPUT_VARIABLE CRV_ARROW_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
endif()

# crv_python_module(<name> <folder in crv/> <libraries...>): the extension crv.<folder>.<name> of the sources in
# native/<folder>.
function(crv_python_module name folder)
  file(GLOB sources CONFIGURE_DEPENDS native/*.cc native/${folder}/*.cc)
  nanobind_add_module(${name} STABLE_ABI NB_STATIC NB_SUPPRESS_WARNINGS NB_DOMAIN crv ${sources})
  crv_target(${name} INSIDE)
  target_include_directories(${name} PRIVATE native)
  target_compile_options(${name} PRIVATE -Wno-pedantic)  # Python's own headers
  target_link_libraries(${name} PRIVATE ${ARGN})
  # What is linked in statically stays inside: another extension may hold other versions of the same names.
  target_link_options(${name} PRIVATE -Wl,--exclude-libs,ALL)
  set_target_properties(${name} PROPERTIES INSTALL_RPATH "$ORIGIN/../../pyarrow" BUILD_WITH_INSTALL_RPATH ON)
  install(TARGETS ${name} DESTINATION crv/${folder} COMPONENT python)
endfunction()

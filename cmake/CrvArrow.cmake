# Gives the target crv::arrow: Arrow C++ with Parquet and its compute kernels.
#
# In this order: the folder CRV_ARROW_ROOT (an installed crv names its own copy there); an Arrow of at least
# CRV_ARROW_MIN with its Parquet that CMake finds on the system; the headers and libraries of the pyarrow wheel of PyPI,
# in the one version pinned here, unpacked once into CRV_DEPS_DIR.
# The module is installed with crv, so that a project which finds crv gets the very Arrow that crv was built with.
include_guard(GLOBAL)

set(CRV_ARROW_MIN 24)
set(CRV_PYARROW_VERSION 26.0.1)
set(CRV_PYARROW_SOVERSION 2600)

if(DEFINED ENV{CRV_DEPS_DIR})
  set(crv_deps_default "$ENV{CRV_DEPS_DIR}")
elseif(PROJECT_IS_TOP_LEVEL AND PROJECT_NAME STREQUAL "crv")
  set(crv_deps_default "${PROJECT_SOURCE_DIR}/.deps")
else()
  set(crv_deps_default "${CMAKE_BINARY_DIR}/crv-deps")
endif()
set(CRV_DEPS_DIR "${crv_deps_default}" CACHE PATH "Where crv unpacks the Arrow of the pyarrow wheel")
option(CRV_SYSTEM_ARROW "Take an installed Arrow where there is one" ON)

function(crv_fetch_pyarrow out_dir)
  set(dir "${CRV_DEPS_DIR}/pyarrow-${CRV_PYARROW_VERSION}")
  set(${out_dir} "${dir}/pyarrow" PARENT_SCOPE)
  if(EXISTS "${dir}/complete")
    return()
  endif()
  find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)
  message(STATUS "crv: getting pyarrow ${CRV_PYARROW_VERSION} for its Arrow C++")
  file(REMOVE_RECURSE "${dir}")
  file(MAKE_DIRECTORY "${dir}")
  execute_process(
    COMMAND "${Python3_EXECUTABLE}" -m pip download --quiet --disable-pip-version-check --no-deps
            --only-binary :all: --dest "${dir}" "pyarrow==${CRV_PYARROW_VERSION}"
    RESULT_VARIABLE status ERROR_VARIABLE message)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "crv: no Arrow >= ${CRV_ARROW_MIN} is installed and pip could not get "
                        "pyarrow ${CRV_PYARROW_VERSION}:\n${message}")
  endif()
  file(GLOB wheel "${dir}/pyarrow-*.whl")
  file(ARCHIVE_EXTRACT INPUT "${wheel}" DESTINATION "${dir}")
  file(REMOVE "${wheel}")
  file(TOUCH "${dir}/complete")
endfunction()

# Adds the headers and libraries in `dir` to crv_arrow.
function(crv_arrow_from_folder dir)
  target_include_directories(crv_arrow SYSTEM INTERFACE "${dir}/include")
  foreach(lib parquet arrow_compute arrow)
    set(file "${dir}/lib${lib}.so.${CRV_PYARROW_SOVERSION}")
    add_library(crv_arrow_${lib} SHARED IMPORTED GLOBAL)
    set_target_properties(crv_arrow_${lib} PROPERTIES IMPORTED_LOCATION "${file}")
    target_link_libraries(crv_arrow INTERFACE crv_arrow_${lib})
  endforeach()
  set(CRV_ARROW_FOLDER "${dir}" PARENT_SCOPE)
endfunction()

if(NOT TARGET crv::arrow)
  add_library(crv_arrow INTERFACE IMPORTED GLOBAL)
  add_library(crv::arrow ALIAS crv_arrow)
  set(CRV_ARROW_FOLDER "")  # where Arrow comes from, if not from the system
  set(crv_arrow_is_system OFF)
  if(CRV_ARROW_ROOT AND EXISTS "${CRV_ARROW_ROOT}/libarrow.so.${CRV_PYARROW_SOVERSION}")
    crv_arrow_from_folder("${CRV_ARROW_ROOT}")
  elseif(CRV_SYSTEM_ARROW)
    # Without a version: Arrow's own check accepts no other major version than the one asked for.
    find_package(Arrow CONFIG QUIET)
    if(Arrow_FOUND AND Arrow_VERSION VERSION_GREATER_EQUAL CRV_ARROW_MIN)
      find_package(Parquet CONFIG QUIET)
      set(crv_arrow_is_system ${Parquet_FOUND})
    endif()
  endif()
  if(CRV_ARROW_FOLDER)
    message(STATUS "crv: Arrow in ${CRV_ARROW_FOLDER}")
  elseif(crv_arrow_is_system)
    message(STATUS "crv: Arrow ${Arrow_VERSION} of this system")
    target_link_libraries(crv_arrow INTERFACE Arrow::arrow_shared Parquet::parquet_shared)
    find_package(ArrowCompute CONFIG QUIET)  # a library of its own since Arrow 21
    if(ArrowCompute_FOUND)
      target_link_libraries(crv_arrow INTERFACE ArrowCompute::arrow_compute_shared)
    endif()
  else()
    crv_fetch_pyarrow(crv_pyarrow_dir)
    message(STATUS "crv: Arrow of pyarrow ${CRV_PYARROW_VERSION} in ${crv_pyarrow_dir}")
    crv_arrow_from_folder("${crv_pyarrow_dir}")
  endif()
endif()

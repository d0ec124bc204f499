# crv_target(<target> [INSIDE]): what every library, tool and test of crv is compiled with. With INSIDE it sees the
# headers in src/; else, as any user of crv, the public ones only.
function(crv_target target)
  target_include_directories(${target}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  if("INSIDE" IN_LIST ARGN)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  endif()
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast
                                           -Woverloaded-virtual -Wconversion -Wno-sign-conversion)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-Wno-restrict>)  # false alarms of g++ 12 at -O3
  endif()
  if(CRV_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(CRV_SANITIZE)
    target_compile_options(${target} PUBLIC -fsanitize=${CRV_SANITIZE} -fno-omit-frame-pointer
                                            -fno-sanitize-recover=all
                                     PRIVATE -Wno-maybe-uninitialized)  # false alarms of g++ 12 with sanitizers
    target_link_options(${target} PUBLIC -fsanitize=${CRV_SANITIZE})
  endif()
endfunction()

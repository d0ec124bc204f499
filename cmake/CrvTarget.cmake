# crv_target(<target>): what every library, tool and test of crv is compiled with.
function(crv_target target)
  target_include_directories(${target}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
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

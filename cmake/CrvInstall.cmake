# What `cmake --install` puts where, so that find_package(crv CONFIG) gives crv::crv and crv::core.
#
# An Arrow that came from the wheel is installed along (lib/crv/arrow): libcrv.a only fits the Arrow it was built with,
# and the installed command finds it there wherever the whole is moved to.
option(CRV_INSTALL "Make the install rules of crv" ${PROJECT_IS_TOP_LEVEL})
if(NOT CRV_INSTALL)
  return()
endif()
include(CMakePackageConfigHelpers)

set(crv_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/crv")
set(crv_arrow_dir "${CMAKE_INSTALL_LIBDIR}/crv/arrow")

set_target_properties(crv_core PROPERTIES EXPORT_NAME core)
install(TARGETS crv_core crv EXPORT crvTargets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(EXPORT crvTargets NAMESPACE crv:: DESTINATION "${crv_cmake_dir}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/crv" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.h")

if(TARGET crv_cli)
  install(TARGETS crv_cli RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  install(FILES "${PROJECT_SOURCE_DIR}/docs/crv.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
  install(FILES "${PROJECT_BINARY_DIR}/apps/crv/crv.bash" RENAME crv
          DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
  install(FILES "${PROJECT_BINARY_DIR}/apps/crv/_crv" DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/site-functions")
  if(CRV_ARROW_FOLDER)
    file(RELATIVE_PATH crv_bin_to_arrow "/${CMAKE_INSTALL_BINDIR}" "/${crv_arrow_dir}")
    set_target_properties(crv_cli PROPERTIES INSTALL_RPATH "$ORIGIN/${crv_bin_to_arrow}")
  endif()
endif()

if(CRV_ARROW_FOLDER)
  install(DIRECTORY "${CRV_ARROW_FOLDER}/include" DESTINATION "${crv_arrow_dir}")
  foreach(lib arrow parquet arrow_compute)
    install(FILES "${CRV_ARROW_FOLDER}/lib${lib}.so.${CRV_PYARROW_SOVERSION}" DESTINATION "${crv_arrow_dir}")
  endforeach()
endif()

configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/crvConfig.cmake.in" "${PROJECT_BINARY_DIR}/crvConfig.cmake"
  INSTALL_DESTINATION "${crv_cmake_dir}" PATH_VARS crv_arrow_dir)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/crvConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/crvConfig.cmake" "${PROJECT_BINARY_DIR}/crvConfigVersion.cmake"
              "${CMAKE_CURRENT_LIST_DIR}/CrvArrow.cmake" DESTINATION "${crv_cmake_dir}")

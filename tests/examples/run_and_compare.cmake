# Runs PROGRAM with a fresh folder and the run id "village"; it must print what EXPECTED holds.
file(REMOVE_RECURSE "${WORK}")
execute_process(COMMAND "${PROGRAM}" "${WORK}" village OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
file(READ "${EXPECTED}" expected)
if(NOT output STREQUAL expected)
  message(FATAL_ERROR "It printed\n${output}\nbut ${EXPECTED} has\n${expected}")
endif()

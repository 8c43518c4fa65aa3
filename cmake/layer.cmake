# plumbline_layer(NAME [LINK targets...]): the static library of one layer, from src/NAME/*.cpp and the
# folders below it.
# Layers are declared lowest first and each links the one before it, so that a layer sees the
# layers below it and no other. CONFIGURE_DEPENDS: adding a file needs no edit here.
set(PLUMBLINE_LOWER_LAYER "" CACHE INTERNAL "")
function(plumbline_layer name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp ${CMAKE_SOURCE_DIR}/src/${name}/*/*.cpp)
  string(REPLACE "/" "_" library plumbline_${name})
  if(NOT sources)
    # A layer of headers only.
    add_library(${library} INTERFACE)
    target_link_libraries(${library} INTERFACE ${PLUMBLINE_LOWER_LAYER} ${ARG_LINK})
  else()
    add_library(${library} STATIC ${sources})
    target_include_directories(${library} PUBLIC ${CMAKE_SOURCE_DIR}/include PRIVATE ${CMAKE_SOURCE_DIR})
    target_link_libraries(${library}
      PUBLIC ${PLUMBLINE_LOWER_LAYER} ${ARG_LINK}
      PRIVATE plumbline_options)
  endif()
  set(PLUMBLINE_LOWER_LAYER ${library} CACHE INTERNAL "")
endfunction()

# kentongan.m4 - compiler and linker flags, each taken only where it works.

# KTG_CFLAG(FLAG, [IF-TAKEN], [IF-NOT]) - adds a flag to KTG_CFLAGS where the compiler takes it without a word.
AC_DEFUN([KTG_CFLAG], [
  AS_VAR_PUSHDEF([cache], [ktg_cv_cflag_$1])
  AC_CACHE_CHECK([whether $CC takes $1], [cache], [
    ktg_save_cflags=$CFLAGS
    CFLAGS="$CFLAGS -Werror $1"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
    CFLAGS=$ktg_save_cflags
  ])
  AS_VAR_IF([cache], [yes], [AS_VAR_APPEND([KTG_CFLAGS], [" $1"])
    $2], [:
    $3])
  AS_VAR_POPDEF([cache])
])

# KTG_LDFLAG(FLAG) - the same for KTG_LDFLAGS.
AC_DEFUN([KTG_LDFLAG], [
  AS_VAR_PUSHDEF([cache], [ktg_cv_ldflag_$1])
  AC_CACHE_CHECK([whether the linker takes $1], [cache], [
    ktg_save_ldflags=$LDFLAGS
    LDFLAGS="$LDFLAGS $1"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
    LDFLAGS=$ktg_save_ldflags
  ])
  AS_VAR_IF([cache], [yes], [AS_VAR_APPEND([KTG_LDFLAGS], [" $1"])])
  AS_VAR_POPDEF([cache])
])

# KTG_HARDEN - what makes a mistake harder to use.  FORTIFY needs an optimising compiler, and some distributions' compilers set
# it by themselves.
AC_DEFUN([KTG_HARDEN], [
  KTG_CFLAG([-fstack-protector-strong])
  KTG_CFLAG([-fstack-clash-protection])
  KTG_CFLAG([-fcf-protection])
  KTG_CFLAG([-fPIE], [KTG_LDFLAG([-pie])])
  KTG_LDFLAG([-Wl,-z,relro])
  KTG_LDFLAG([-Wl,-z,now])
  AC_CACHE_CHECK([whether $CC optimises], [ktg_cv_optimises], [
    AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
#ifndef __OPTIMIZE__
#error no
#endif
      ]])], [ktg_cv_optimises=yes], [ktg_cv_optimises=no])
  ])
  AS_IF([test "x$ktg_cv_optimises" = xyes],
    [AS_VAR_APPEND([KTG_CPPFLAGS], [" -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])])
])

# KTG_SANITIZE - instead of hardening, which would hide from the sanitizers what it catches.
AC_DEFUN([KTG_SANITIZE], [
  KTG_CFLAG([-fsanitize=address,undefined], [AS_VAR_APPEND([KTG_LDFLAGS], [" -fsanitize=address,undefined"])],
    [AC_MSG_ERROR([the compiler has no sanitizers])])
  KTG_CFLAG([-fno-sanitize-recover=undefined])
  KTG_CFLAG([-fno-omit-frame-pointer])
])

# KTG_FUZZ - coverage for libFuzzer in all objects; its main in the targets alone.
AC_DEFUN([KTG_FUZZ], [
  KTG_CFLAG([-fsanitize=fuzzer-no-link], [],
    [AC_MSG_ERROR([--enable-fuzz needs a compiler with libFuzzer: configure CC=clang])])
  AC_SUBST([FUZZ_LDFLAGS], [-fsanitize=fuzzer])
])

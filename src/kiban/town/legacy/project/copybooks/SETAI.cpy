      *------------------------------------------------------------
      * SETAI     LRECL=234  RECFM=FB  JEF + EBCDIK
      *------------------------------------------------------------
       01  SE-REC.
         03  SE-REC-KUBUN               PIC X(01).
         03  SE-DATA.
           05  SE-SETAI-NO              PIC 9(10).
           05  SE-RIREKI-NO             PIC S9(03) COMP-3.
           05  SE-KU-CD                 PIC X(03).
           05  SE-NUSHI-ATENA           PIC 9(10).
           05  SE-NUSHI-SHIMEI          PIC N(32).
           05  SE-NUSHI-MI              PIC X(01).
           05  SE-SHUBETSU              PIC X(01).
           05  SE-JOTAI                 PIC X(01).
           05  SE-NINZU                 PIC S9(03) COMP-3.
           05  SE-CHOAZA-CD             PIC 9(12).
           05  SE-CHOAZA-MEI            PIC N(16).
           05  SE-BANCHI                PIC N(14).
           05  SE-KATAGAKI              PIC X(44).
           05  SE-YUBIN                 PIC 9(07).
           05  SE-KAISHI-YMD            PIC 9(08).
           05  SE-SHURYO-YMD            PIC 9(08).
         03  SE-HEADER REDEFINES SE-DATA.
           05  SEH-FILE-ID              PIC X(08).
           05  SEH-GUN                  PIC 9(02).
           05  SEH-KIJUN-YMD            PIC 9(08).
           05  SEH-SAKUSEI-YMD          PIC 9(08).
           05  FILLER                   PIC X(207).
         03  SE-TRAILER REDEFINES SE-DATA.
           05  SET-FILE-ID              PIC X(08).
           05  SET-GUN                  PIC 9(02).
           05  SET-KENSU                PIC 9(09).
           05  FILLER                   PIC X(214).

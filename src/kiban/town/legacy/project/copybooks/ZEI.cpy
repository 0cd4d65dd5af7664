      *------------------------------------------------------------
      * ZEI       LRECL=302  RECFM=FB  KEIS83 + EBCDIK
      *------------------------------------------------------------
       01  ZE-REC.
         03  ZE-REC-KUBUN               PIC X(01).
         03  ZE-DATA.
           05  ZE-ATENA-NO              PIC 9(10).
           05  ZE-NENDO                 PIC 9(03).
           05  ZE-RIREKI-NO             PIC S9(03) COMP-3.
           05  ZE-FUKA-NENDO            PIC 9(03).
           05  ZE-KU-CD                 PIC X(03).
           05  ZE-SHIMEI                PIC N(32).
           05  ZE-KANA                  PIC X(48).
           05  ZE-KETTEI-YMD            PIC 9(07) COMP-3.
           05  ZE-KOSEI-JIYU            PIC X(02).
           05  ZE-KAZEI-KBN             PIC X(01).
           05  ZE-CHOSHU-HOHO           PIC X(02).
           05  ZE-KYUYO-SHUNYU          PIC S9(09) COMP-3.
           05  ZE-KYUYO-SHOTOKU         PIC S9(09) COMP-3.
           05  ZE-NENKIN-SHUNYU         PIC S9(09) COMP-3.
           05  ZE-NENKIN-SHOTOKU        PIC S9(09) COMP-3.
           05  ZE-EIGYO-SHOTOKU         PIC S9(09) COMP-3.
           05  ZE-SOSHOTOKU             PIC S9(09) COMP-3.
           05  ZE-GOKEI-SHOTOKU         PIC S9(09) COMP-3.
           05  ZE-HAIGU-FLG             PIC X(01).
           05  ZE-FUYO-SU               PIC 9(02).
           05  ZE-SHAKAI-KOJO           PIC S9(09) COMP-3.
           05  ZE-HAIGU-KOJO            PIC S9(09) COMP-3.
           05  ZE-FUYO-KOJO             PIC S9(09) COMP-3.
           05  ZE-KISO-KOJO             PIC S9(09) COMP-3.
           05  ZE-SONOTA-KOJO           PIC S9(09) COMP-3.
           05  ZE-KOJO-KEI              PIC S9(09) COMP-3.
           05  ZE-HYOJUN                PIC S9(09) COMP-3.
           05  ZE-SHI-KINTO             PIC S9(09).
           05  ZE-SHI-SHOTOKU           PIC S9(09).
           05  ZE-KEN-KINTO             PIC S9(09).
           05  ZE-KEN-SHOTOKU           PIC S9(09).
           05  ZE-SHINRIN               PIC S9(09).
           05  ZE-NENZEI                PIC S9(09) COMP-3.
           05  ZE-KAISHI-YMD            PIC 9(08).
           05  ZE-SHURYO-YMD            PIC 9(08).
           05  ZE-FUTSU.
             07  ZE-KI-GAKU             PIC S9(09) COMP-3
               OCCURS 4 TIMES.
           05  ZE-TOKU REDEFINES ZE-FUTSU.
             07  ZE-TOKU-GATSU6         PIC S9(09).
             07  ZE-TOKU-IKO            PIC S9(09).
             07  FILLER                 PIC X(02).
           05  ZE-NENKIN REDEFINES ZE-FUTSU.
             07  ZE-NK-SHOKAI           PIC S9(09) COMP-3.
             07  ZE-NK-IKO              PIC S9(09) COMP-3.
             07  FILLER                 PIC X(10).
           05  ZE-NASHI REDEFINES ZE-FUTSU.
             07  FILLER                 PIC X(20).
         03  ZE-HEADER REDEFINES ZE-DATA.
           05  ZEH-FILE-ID              PIC X(08).
           05  ZEH-GUN                  PIC 9(02).
           05  ZEH-KIJUN-YMD            PIC 9(08).
           05  ZEH-SAKUSEI-YMD          PIC 9(08).
           05  FILLER                   PIC X(275).
         03  ZE-TRAILER REDEFINES ZE-DATA.
           05  ZET-FILE-ID              PIC X(08).
           05  ZET-GUN                  PIC 9(02).
           05  ZET-KENSU                PIC 9(09).
           05  ZET-NENZEI               PIC S9(15) COMP-3.
           05  FILLER                   PIC X(274).
